//! Serving: the listener, the job runner, and an orderly end.

use std::time::Duration;

use anyhow::Context;
use kilele_media::StoreError;
use poem::listener::{Acceptor, Listener, TcpListener};
use tokio::sync::watch;

use crate::app::App;
use crate::auth::invitations;
use crate::clock::Clock;
use crate::config::Config;
use crate::doors::{Doors, Rules};
use crate::ops::progress::Progress;
use crate::{api, demo, jobs};

/// Opens everything and serves until the process is told to stop.
pub async fn serve(config: Config, with_demo: bool) -> anyhow::Result<()> {
    let app = App::open(config, Clock::start()).await?;
    probe(&app).await?;
    let acceptor = TcpListener::bind(app.config.listen.clone()).into_acceptor().await;
    let acceptor = acceptor.with_context(|| format!("listening on {}", app.config.listen))?;
    let organisations: (i64,) = app.db.query("SELECT count(*) FROM organisation").one().await?;
    if organisations.0 == 0 {
        if with_demo {
            println!("Making the demo organisation …");
            demo::make(&app, &Progress::shown()).await?;
        } else {
            let now = app.clock.now();
            let token = app.db.write(move |tx| Box::pin(invitations::create(tx, None, now))).await?;
            println!("\nThis installation is empty. Open this link once, within 7 days, to set it up:\n");
            println!("    {}/setup#{token}\n", app.config.public_url);
        }
    }
    if let Err(error) = app.builds.keep(&app.config.data_dir.join("builds"), crate::web::embedded()) {
        tracing::warn!(%error, "earlier builds of the web application are not kept");
    }
    println!("Kilele is at {}", app.config.public_url);
    run(app, acceptor, stopped()).await
}

/// A round trip through the storage of pictures. Wrong keys or a missing bucket end the start: they do not heal.
/// A storage that is down does not: records never wait for pictures.
///
/// # Errors
/// What is wrong with `KILELE_MEDIA_URL`, in words.
pub async fn probe(app: &App) -> anyhow::Result<()> {
    let url = &app.config.media_url;
    match app.store.canary().await {
        Ok(()) => Ok(()),
        Err(error @ StoreError::Denied(_)) => Err(error).with_context(|| format!("KILELE_MEDIA_URL={url}")),
        Err(error) => {
            tracing::error!(%error, "KILELE_MEDIA_URL={url} does not work; photos stay on the phones until it does");
            Ok(())
        }
    }
}

/// Serves on an open listener until `stop` resolves; then lets requests and jobs finish.
pub async fn run(
    app: App,
    acceptor: impl Acceptor + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let (tell, told) = watch::channel(false);
    let (runner, traced) = (tokio::spawn(jobs::run(app.clone(), told)), app.clone());
    let acceptor = Doors::new(acceptor, Rules::of_system());
    let server = poem::Server::new_with_acceptor(acceptor).idle_timeout(Duration::from_secs(75));
    server.run_with_graceful_shutdown(api::endpoint(app), stop, Some(Duration::from_secs(10))).await?;
    let _ = tell.send(true);
    runner.await?;
    traced.traces.end().await;
    Ok(())
}

/// Ctrl-C, or the service manager's SIGTERM.
async fn stopped() {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals work here");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
