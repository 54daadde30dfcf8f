//! Who may send a picture's bytes: whoever is signed in, or the device that took it, by its own signature.

use poem::Request;
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use uuid::Uuid;

use crate::app::App;
use crate::auth::{Reader, access};
use crate::error::{Error, Result};

/// `device.at.proof`: ECDSA by the device's key over
/// `kilele-upload|{org}|{member}|{device}|{evidence}|{sha256 of the capture}|{at}`, raw r‖s, base64url.
pub const HEADER: &str = "kilele-device-proof";

/// The member in whose name bytes come.
pub struct Deliverer(pub Reader);

impl<'a> ApiExtractor<'a> for Deliverer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Reader as ApiExtractor>::register(registry);
        let scheme = MetaSecurityScheme {
            ty: "apiKey",
            description: Some("The device's own signature over one capture, for a phone without a session."),
            name: Some("Kilele-Device-Proof"),
            key_in: Some("header"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme("device_proof", scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["cookie", "bearer", "device_proof"]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut poem::RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let reader = match request.header(HEADER) {
            Some(proof) => by_proof(request, proof).await?,
            None => access::authenticate(request).await?,
        };
        Ok(Self(reader))
    }
}

async fn by_proof(request: &Request, header: &str) -> Result<Reader> {
    let app: &App = request.data().ok_or_else(|| Error::unexpected(anyhow::anyhow!("no app in the request")))?;
    let wrong = || Error::unauthorised("proof_invalid", "This is not the proof of a device that took this picture.");
    let mut parts = header.splitn(3, '.');
    let (device, at, proof) =
        parts.next().zip(parts.next()).zip(parts.next()).map(|((d, a), p)| (d, a, p)).ok_or_else(wrong)?;
    let device: Uuid = device.parse().map_err(|_| wrong())?;
    let at: i64 = at.parse().map_err(|_| wrong())?;
    let address = crate::web::client_address(request, &app.config);
    // Ids are made on devices, so two organisations may have the same one; the signature names its own.
    for (org, member, evidence, sha256) in announced(app, request, device).await? {
        let message = format!("kilele-upload|{org}|{member}|{device}|{evidence}|{sha256}|{at}");
        if let Ok(known) = access::by_device(app, (org, member, device), &message, proof).await {
            return Ok(known.reader);
        }
    }
    // Only what fails counts: a backlog of hundreds of pictures must go through.
    app.limiter.attempt_of(100, &format!("proof {address}"), app.clock.now())?;
    Err(wrong())
}

/// What the request is about: the evidence of its metadata, or of the upload in its path.
async fn announced(app: &App, request: &Request, device: Uuid) -> Result<Vec<(Uuid, Uuid, Uuid, String)>> {
    let upload = request.uri().path().strip_prefix("/api/uploads/").and_then(|id| Uuid::parse_str(id).ok());
    let evidence = request.header("upload-metadata").and_then(|m| crate::media::protocol::evidence(m).ok());
    match (upload, evidence) {
        (Some(upload), _) => {
            app.db
                .query(
                    "SELECT e.org, e.captured_by, e.id, e.sha256 FROM upload u
                     JOIN evidence e ON e.org = u.org AND e.id = u.evidence WHERE u.id = $1 AND e.device = $2",
                )
                .bind(upload)
                .bind(device)
                .all()
                .await
        }
        (None, Some(evidence)) => {
            app.db
                .query("SELECT org, captured_by, id, sha256 FROM evidence WHERE id = $1 AND device = $2")
                .bind(evidence)
                .bind(device)
                .all()
                .await
        }
        (None, None) => Ok(Vec::new()),
    }
}
