//! The collector of spans: does it take them?

use super::Finding;
use crate::config::Config;
use crate::traces;

/// Nothing where none is set: most installations need none.
pub async fn collector(config: &Config) -> Option<Finding> {
    const WHAT: &str = "traces";
    let otlp = config.otlp.as_ref()?;
    let mend = "KILELE_OTLP_URL=http://127.0.0.1:4318, a collector that takes OTLP over HTTP, and KILELE_OTLP_HEADERS if it asks \
                who we are";
    let host = otlp.url.host_str().unwrap_or_default();
    Some(match traces::knock(otlp).await {
        Ok(()) => Finding::good(WHAT, format!("the collector at {host} takes spans")),
        Err(why) => Finding::bad(WHAT, format!("the collector at {host} does not take spans: {why}"), mend),
    })
}
