//! The database: does it answer, is it of a version and with settings that lose nothing, and which migrations it has.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::Finding;
use crate::clock::Clock;
use crate::config::Config;
use crate::db;

pub async fn look(config: &Config, clock: &Clock) -> Vec<Finding> {
    const WHAT: &str = "database";
    let found = match config.database_url.strip_prefix("sqlite://") {
        Some(path) if !std::path::Path::new(path).exists() => {
            return vec![Finding::good(WHAT, format!("{path} is made at the first start"))];
        }
        Some(_) => sqlite(config).await,
        None => postgres(config, clock).await,
    };
    found.unwrap_or_else(|error| {
        vec![Finding::bad(WHAT, format!("{error:#}"), "look at KILELE_DATABASE_URL, and whether the database runs")]
    })
}

async fn sqlite(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let options = db::sqlite_options(&config.database_url)?.create_if_missing(false).pragma("query_only", "ON");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let (version, pages, size): (String, i64, i64) =
        sqlx::query_as("SELECT sqlite_version(), page_count, page_size FROM pragma_page_count(), pragma_page_size()")
            .fetch_one(&mut connection)
            .await?;
    let mut found = vec![Finding::good("database", format!("SQLite {version}, {:.1} MB", (pages * size) as f64 / 1e6))];
    // The whole of a small one; of a large one `kilele backup verify` looks at every page.
    if pages * size < 200_000_000 {
        let said: (String,) = sqlx::query_as("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
        found.push(match said.0.as_str() {
            "ok" => Finding::good("integrity", "the file is whole"),
            other => Finding::bad("integrity", other, "stop the server and put a backup back: kilele restore"),
        });
    }
    let applied: Vec<(i64,)> = sqlx::query_as("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(&mut connection)
        .await?;
    found.push(migrations(&applied));
    connection.close().await?;
    Ok(found)
}

fn migrations(applied: &[(i64,)]) -> Finding {
    const WHAT: &str = "migrations";
    let (has, knows) = (applied.last().map_or(0, |(version,)| *version), db::newest_migration());
    match has.cmp(&knows) {
        std::cmp::Ordering::Equal => Finding::good(WHAT, format!("up to date ({has})")),
        std::cmp::Ordering::Less => Finding::warning(
            WHAT,
            format!("at {has}, this version brings {knows}"),
            "make a backup; then kilele migrate, or the next start",
        ),
        std::cmp::Ordering::Greater => Finding::warning(
            WHAT,
            format!("at {has}, which is newer than this version's {knows}: somebody went back to it"),
            "it serves; go on to the newer version once that is mended",
        ),
    }
}

/// Of PostgreSQL: what must not be otherwise.
const SAFE: [(&str, &str, &str); 3] = [
    ("fsync", "on", "what was acknowledged is lost with a power cut"),
    ("full_page_writes", "on", "a power cut may leave half a page"),
    ("synchronous_commit", "on", "what was acknowledged is lost with a power cut"),
];

/// What one copy of the server takes at most.
const CONNECTIONS: i64 = 40;

async fn postgres(config: &Config, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let mut connection = PgConnection::connect(&config.database_url).await?;
    let (number, version, encoding, now): (i32, String, String, i64) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int4, current_setting('server_version'),
             current_setting('server_encoding'), (extract(epoch FROM clock_timestamp()) * 1000)::int8",
    )
    .fetch_one(&mut connection)
    .await?;
    let mut found = vec![match number {
        ..130_000 => {
            Finding::bad("database", format!("PostgreSQL {version} gets no mends any more"), "PostgreSQL 15 or newer")
        }
        _ => Finding::good("database", format!("PostgreSQL {version}")),
    }];
    if encoding != "UTF8" {
        found.push(Finding::bad(
            "encoding",
            format!("the database keeps {encoding}"),
            "createdb --encoding=UTF8 --template=template0",
        ));
    }
    let apart = now - clock.now();
    if apart.abs() > 2_000 {
        let said = format!("this machine's clock and the database's are {:.1} s apart", apart as f64 / 1e3);
        found.push(Finding::bad("clocks", said, "sudo timedatectl set-ntp true, on both"));
    }
    let mut unsafe_ = 0;
    for (name, good, why) in SAFE {
        let set: (String,) =
            sqlx::query_as(AssertSqlSafe(format!("SELECT current_setting('{name}')"))).fetch_one(&mut connection).await?;
        // A standby that also confirms is better still.
        if set.0 != good && !(name == "synchronous_commit" && set.0.starts_with("remote")) {
            unsafe_ += 1;
            found.push(Finding::bad("settings", format!("{name} = {}: {why}", set.0), format!("{name} = {good}")));
        }
    }
    if unsafe_ == 0 {
        found.push(Finding::good("settings", "fsync, full_page_writes and synchronous_commit are on"));
    }
    let (most, taken, wall): (i64, i64, bool) = sqlx::query_as(
        "SELECT current_setting('max_connections')::int8, (SELECT count(*) FROM pg_stat_activity)::int8,
             EXISTS (SELECT FROM pg_roles WHERE rolname = 'kilele_member' AND pg_has_role(oid, 'MEMBER'))",
    )
    .fetch_one(&mut connection)
    .await?;
    found.push(if most - taken < CONNECTIONS {
        let said = format!("{most} connections, {taken} of them taken: a copy of the server takes up to {CONNECTIONS}");
        Finding::warning("connections", said, "max_connections = 40 for each copy, and 20 more")
    } else {
        Finding::good("connections", format!("{most}, of which {taken} are taken"))
    });
    let known: (bool,) =
        sqlx::query_as("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut connection).await?;
    if !known.0 {
        found.push(Finding::good("migrations", "the tables are made at the first start"));
        return Ok(found);
    }
    found.push(if wall {
        Finding::good("row_security", "the second wall stands: row-level security by organisation")
    } else {
        let mend = "ALTER ROLE … CREATEROLE for the first start, or CREATE ROLE kilele_member NOLOGIN and GRANT it";
        Finding::warning(
            "row_security",
            "the second wall does not stand: this user may not make the role kilele_member",
            mend,
        )
    });
    let applied: Vec<(i64,)> = sqlx::query_as("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(&mut connection)
        .await?;
    found.push(migrations(&applied));
    connection.close().await?;
    Ok(found)
}
