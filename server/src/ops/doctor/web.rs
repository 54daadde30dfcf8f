//! How phones reach the server, and whether the way is safe.

use std::error::Error;
use std::time::Duration;

use super::Finding;
use crate::config::Config;

pub async fn public(config: &Config) -> Vec<Finding> {
    const WHAT: &str = "public_url";
    let url = &config.public_url;
    let https = "set KILELE_PUBLIC_URL=https://… and a certificate (docs/operating.md, TLS)";
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return vec![Finding::bad(WHAT, format!("{url} is no address"), https)];
    };
    let host = parsed.host_str().unwrap_or_default();
    let here = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
    let said = match parsed.scheme() {
        _ if parsed.path() != "/" => {
            Finding::bad(WHAT, format!("{url} has a path"), "Kilele needs a host of its own: leave the path away")
        }
        "https" => Finding::good(WHAT, url.clone()),
        "http" if here => Finding::warning(WHAT, format!("{url} is for this machine alone: phones need https"), https),
        _ => Finding::bad(WHAT, format!("{url}: passwords and data go in clear, and phones keep no application"), https),
    };
    let tls = (parsed.scheme() == "https").then_some(tls(url));
    let mut found = vec![said];
    if let Some(tls) = tls {
        found.push(tls.await);
    }
    found
}

async fn tls(url: &str) -> Finding {
    const WHAT: &str = "tls";
    let client =
        reqwest::Client::builder().timeout(Duration::from_secs(8)).redirect(reqwest::redirect::Policy::none()).build();
    let answer = match client {
        Ok(client) => client.get(format!("{url}/health")).send().await,
        Err(error) => return Finding::bad(WHAT, error.to_string(), "install ca-certificates"),
    };
    match answer {
        Ok(answer) if answer.status() == 200 => match answer.headers().get("strict-transport-security") {
            Some(_) => Finding::good(WHAT, "the certificate is good, and browsers keep to https"),
            None => Finding::warning(
                WHAT,
                "the certificate is good; nothing says that browsers are to keep to https",
                "add Strict-Transport-Security, as nginx/nginx.conf does",
            ),
        },
        Ok(answer) => Finding::warning(
            WHAT,
            format!("the certificate is good; {url}/health answers {}", answer.status()),
            "is the server running, and the proxy's upstream right?",
        ),
        Err(error) => {
            let why = deepest(&error);
            if why.contains("certificate") {
                Finding::bad(
                    WHAT,
                    why,
                    "sudo certbot renew; the certificate must be for this very host, with its chain (fullchain.pem)",
                )
            } else {
                Finding::warning(
                    WHAT,
                    format!("{url} does not answer: {why}"),
                    "start the server and the proxy, and open port 443",
                )
            }
        }
    }
}

fn deepest(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

pub fn proxies(config: &Config) -> Finding {
    const WHAT: &str = "proxies";
    let (proxied, open) = (
        config.public_url.starts_with("https://"),
        !config.listen.starts_with("127.") && !config.listen.starts_with("localhost"),
    );
    match (proxied, config.trusted_proxies.is_empty()) {
        (true, true) => Finding::warning(
            WHAT,
            "all people count as one address: an attacker's tries to sign in lock out everybody",
            "KILELE_TRUSTED_PROXIES=127.0.0.1, or wherever the proxy is",
        ),
        (true, false) if open => Finding::warning(
            WHAT,
            format!("the server itself listens on {}", config.listen),
            "KILELE_LISTEN=127.0.0.1:8080, or let the firewall admit only the proxy",
        ),
        (true, false) => Finding::good(WHAT, format!("addresses are believed from {}", config.trusted_proxies.join(", "))),
        (false, _) => Finding::good(WHAT, "no proxy"),
    }
}
