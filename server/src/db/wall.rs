//! The second wall: on PostgreSQL, whatever a signed-in caller's request asks runs in a role that row-level security
//! holds to one organisation, even when a query forgot to say which.
//!
//! The server's own work (signing in, jobs, migrations) runs as the database's owner. Work for a caller that must see
//! several organisations says so with [`beyond`].

use std::cell::Cell;
use std::sync::Mutex;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Postgres};
use tokio::sync::Semaphore;
use uuid::Uuid;

tokio::task_local! {
    static STANDING: Cell<Option<Uuid>>;
}

/// Runs a request: what it does after [`stand`] is held to one organisation.
pub async fn around<F: Future>(work: F) -> F::Output {
    STANDING.scope(Cell::new(None), work).await
}

/// From here on, this request sees one organisation.
pub fn stand(org: Uuid) {
    let _ = STANDING.try_with(|standing| standing.set(Some(org)));
}

/// Work for one organisation, outside of a request.
pub async fn within<F: Future>(org: Uuid, work: F) -> F::Output {
    STANDING.scope(Cell::new(Some(org)), work).await
}

/// Work of a request that concerns several organisations; it must check itself what it answers.
pub async fn beyond<F: Future>(work: F) -> F::Output {
    STANDING.scope(Cell::new(None), work).await
}

pub(super) fn standing() -> Option<Uuid> {
    STANDING.try_with(Cell::get).ok().flatten()
}

/// What begins a transaction behind the wall: one trip.
pub(super) fn begin(org: Uuid) -> String {
    format!("BEGIN; SET LOCAL ROLE kilele_member; SET LOCAL kilele.org = '{org}'")
}

/// Connections that read behind the wall, each at the organisation it read for last.
pub(super) struct Wall {
    pool: PgPool,
    parked: Mutex<Vec<(Uuid, PoolConnection<Postgres>)>>,
    permits: Semaphore,
}

const READERS: u32 = 16;

/// A connection at the right organisation; it is parked again unless something went wrong on it.
pub(super) struct Held<'w> {
    wall: &'w Wall,
    org: Uuid,
    pub connection: PoolConnection<Postgres>,
    _permit: tokio::sync::SemaphorePermit<'w>,
}

impl Held<'_> {
    pub fn park(self) {
        self.wall.parked.lock().expect("no panic while held").push((self.org, self.connection));
    }
}

impl Wall {
    /// Builds the wall where it is missing: the role, and a policy on every table that has an organisation.
    /// Nothing when this database's user may not make roles: then only the first wall stands, and the log says so.
    pub async fn raise(pool: &PgPool, options: PgConnectOptions) -> anyhow::Result<Option<Self>> {
        if let Err(error) = pool.execute(AssertSqlSafe(RAISE)).await {
            let allowed = error.as_database_error().and_then(|e| e.code()).is_none_or(|code| code != "42501");
            anyhow::ensure!(!allowed, anyhow::Error::new(error).context("row-level security"));
            tracing::error!("this database's user may not make the role kilele_member: row-level security is off");
            return Ok(None);
        }
        let readers = PgPoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute("SET ROLE kilele_member").await.map(drop) })
            })
            .connect_lazy_with(options);
        let permits = Semaphore::new(READERS as usize);
        Ok(Some(Self { pool: readers, parked: Mutex::default(), permits }))
    }

    /// Connections of a server that is gone, after it restarted: those parked would each fail once.
    pub fn clear(&self) {
        self.parked.lock().expect("no panic while held").clear();
    }

    pub async fn close(&self) {
        self.clear();
        self.pool.close().await;
    }

    pub async fn take(&self, org: Uuid) -> sqlx::Result<Held<'_>> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let parked = {
            let mut parked = self.parked.lock().expect("no panic while held");
            match parked.iter().rposition(|(at, _)| *at == org) {
                Some(found) => Some(parked.swap_remove(found)),
                None => parked.pop(),
            }
        };
        let mut connection = match parked {
            Some((at, connection)) if at == org => return Ok(Held { wall: self, org, connection, _permit: permit }),
            Some((_, connection)) => connection,
            None => self.pool.acquire().await?,
        };
        connection.execute(AssertSqlSafe(format!("SET kilele.org = '{org}'"))).await?;
        Ok(Held { wall: self, org, connection, _permit: permit })
    }
}

/// Made once for each table, so that new tables get theirs with the next start.
const RAISE: &str = "
DO $$
DECLARE found RECORD;
BEGIN
    PERFORM pg_advisory_xact_lock(5125151);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kilele_member') THEN
        BEGIN
            CREATE ROLE kilele_member NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'kilele_member', 'MEMBER') THEN
        EXECUTE format('GRANT kilele_member TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO kilele_member', current_schema());
    FOR found IN
        SELECT c.oid, c.relname, c.relrowsecurity, EXISTS (
                   SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org' AND NOT a.attisdropped) AS has_org
        FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE '\\_sqlx%'
    LOOP
        IF NOT has_table_privilege('kilele_member', found.oid, 'SELECT, INSERT, UPDATE, DELETE') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO kilele_member', found.relname);
        END IF;
        IF found.has_org AND NOT found.relrowsecurity THEN
            EXECUTE format('CREATE POLICY wall ON %I TO kilele_member
                USING (org = NULLIF(current_setting(''kilele.org'', true), '''')::uuid)', found.relname);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', found.relname);
        END IF;
    END LOOP;
END $$";
