//! Every feature, mounted once.

use poem::endpoint::make_sync;
use poem::{Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response, Route, get};
use poem_openapi::{OpenApiService, Tags};

use crate::app::App;
use crate::auth::limits::ByAddress;
use crate::busy::{self, Bodies, Busy};
use crate::{
    assessments, audit, auth, certificates, commands, compress, devices, duplicates, enrolments, figures, grants, groups,
    health, home, households, imports, live, media, members, metrics, notifications, ops, orgs, outbox, places, platform,
    policies, privacy, programmes, quality, roles, signatures, sync, trainings, visits, web,
};

/// Sections of the documentation.
#[derive(Tags)]
pub enum Tag {
    /// Signing in, first set-up, invitations.
    Sessions,
    /// What a phone speaks: push and pull in one round trip.
    Sync,
    /// Writing, one command at a time.
    Commands,
    Households,
    Visits,
    /// Programmes and cycles, assessments, enrolments, business groups, trainings.
    Programmes,
    /// Grants and their money.
    Grants,
    /// Uploads (tus 1.0) and pictures.
    Media,
    Signatures,
    /// Web push; the inbox itself comes by sync.
    Notifications,
    Places,
    /// Places and households from a file.
    Imports,
    Members,
    /// What can be counted.
    Figures,
    /// The installation: organisations and the mode.
    Platform,
    /// Who works on which phone, and what has not arrived from it.
    Devices,
    /// Data taken out for a person, erased, or kept only for a time.
    Privacy,
    /// API keys of other programs.
    Keys,
    /// Who did what, chained by hash.
    Audit,
    /// Is it alive, and what does it need?
    Health,
}

type Apis = (
    (auth::api::Api, sync::api::Api, commands::Api, households::api::Api, visits::api::Api, media::api::Api),
    (
        devices::api::Api,
        outbox::api::Api,
        signatures::api::Api,
        notifications::api::Api,
        places::Api,
        orgs::Api,
        members::api::Api,
        audit::api::Api,
        auth::people::Api,
        auth::keys::Api,
        auth::oidc::Api,
        privacy::api::Api,
        health::Api,
    ),
    (
        roles::Api,
        figures::Api,
        home::Api,
        platform::api::Api,
        auth::memberships::Api,
        imports::api::Api,
        ops::backup::api::Api,
        certificates::api::Api,
    ),
    (
        programmes::api::Api,
        assessments::api::Api,
        enrolments::api::Api,
        groups::api::Api,
        policies::api::Api,
        grants::api::Api,
        duplicates::api::Api,
        quality::Api,
        trainings::api::Api,
    ),
);

fn service(app: &App) -> OpenApiService<Apis, ()> {
    let a = || app.clone();
    let apis = (
        (
            auth::api::Api(a()),
            sync::api::Api(a()),
            commands::Api(a()),
            households::api::Api(a()),
            visits::api::Api(a()),
            media::api::Api(a()),
        ),
        (
            devices::api::Api(a()),
            outbox::api::Api(a()),
            signatures::api::Api(a()),
            notifications::api::Api(a()),
            places::Api(a()),
            orgs::Api(a()),
            members::api::Api(a()),
            audit::api::Api(a()),
            auth::people::Api(a()),
            auth::keys::Api(a()),
            auth::oidc::Api(a()),
            privacy::api::Api(a()),
            health::Api(a()),
        ),
        (
            roles::Api(a()),
            figures::Api(a()),
            home::Api(a()),
            platform::api::Api(a()),
            auth::memberships::Api(a()),
            imports::api::Api(a()),
            ops::backup::api::Api(a()),
            certificates::api::Api(a()),
        ),
        (
            programmes::api::Api(a()),
            assessments::api::Api(a()),
            enrolments::api::Api(a()),
            groups::api::Api(a()),
            policies::api::Api(a()),
            grants::api::Api(a()),
            duplicates::api::Api(a()),
            quality::Api(a()),
            trainings::api::Api(a()),
        ),
    );
    OpenApiService::new(apis, "Kilele", env!("CARGO_PKG_VERSION"))
        .description("The field platform's API. Times are milliseconds since 1970 (UTC), money is in cents, ids are UUIDv7.")
}

/// The document that `openapi.json` holds.
pub fn document(app: &App) -> String {
    let mut text = service(app).spec();
    text.push('\n');
    text
}

/// The whole server: API, documentation, live channel, and the PWA for everything else.
pub fn endpoint(app: App) -> impl Endpoint<Output = Response> + 'static {
    let service = service(&app);
    let spec = document(&app);
    let docs = service.swagger_ui_html();
    let page = docs.clone();
    app.traces.learn(&spec);
    let json = move |content_type: &'static str, body: String| {
        make_sync(move |_| Response::builder().content_type(content_type).body(body.clone()).into_response())
    };
    Route::new()
        .at("/api/openapi.json", get(json("application/json", spec)))
        .at("/api/docs", get(json("text/html; charset=utf-8", page)))
        .at("/api/live", get(live::live))
        .at("/metrics", get(metrics::page))
        .nest_no_strip("/", OrFiles { api: service.into_endpoint(), files: web::files.into_endpoint() })
        .with(media::protocol::Protocol)
        // They come here whole, so that nobody waits for a slow sender.
        .with(Busy(app.config.requests_at_once as usize))
        .with(compress::Compressed(Bodies::new(busy::BODIES)))
        .with(ByAddress)
        .with(metrics::Measured)
        .with(web::Headers::new(&app, &docs))
        .data(app)
}

/// Addresses below `/api/` and `/health` are operations; all others are files of the PWA.
struct OrFiles<A, F> {
    api: A,
    files: F,
}

impl<A: Endpoint, F: Endpoint> Endpoint for OrFiles<A, F> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        if path.starts_with("/api/") || path.starts_with("/health") {
            self.api.call(request).await.map(IntoResponse::into_response)
        } else {
            self.files.call(request).await.map(IntoResponse::into_response)
        }
    }
}
