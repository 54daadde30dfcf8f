//! Arguments of a statement, typed, so that a null has a type on PostgreSQL too.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use uuid::Uuid;

use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Int(Option<i64>),
    Float(Option<f64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
}

macro_rules! into_arg {
    ($($variant:ident: $type:ty),* $(,)?) => {$(
        impl From<$type> for Arg {
            fn from(value: $type) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl From<Option<$type>> for Arg {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(Into::into))
            }
        }
    )*};
}

into_arg! {
    Int: i64, Int: i32, Float: f64, Bool: bool, Text: String, Text: &str,
    Bytes: Vec<u8>, Bytes: &[u8], Bytes: [u8; 32], Uuid: Uuid,
}

macro_rules! arguments {
    ($name:ident, $arguments:ty) => {
        pub(super) fn $name(args: Vec<Arg>) -> Result<$arguments> {
            let mut out = <$arguments>::default();
            for arg in args {
                match arg {
                    Arg::Int(v) => out.add(v),
                    Arg::Float(v) => out.add(v),
                    Arg::Bool(v) => out.add(v),
                    Arg::Text(v) => out.add(v),
                    Arg::Bytes(v) => out.add(v),
                    Arg::Uuid(v) => out.add(v),
                }
                .map_err(|e| Error::unexpected(anyhow::anyhow!("argument: {e}")))?;
            }
            Ok(out)
        }
    };
}

arguments!(sqlite, SqliteArguments);
arguments!(postgres, PgArguments);
