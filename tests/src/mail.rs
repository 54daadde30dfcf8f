//! Foreign programs of `tests/told`: a mail server for one test (aiosmtpd), and libraries that open pushes.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

pub struct MailServer {
    pub url: String,
    mails: Receiver<Value>,
    child: Child,
    _stdin: Option<ChildStdin>,
}

/// The Python of the tests' foreign libraries.
pub fn python() -> std::path::PathBuf {
    crate::tools().join("told/bin/python")
}

/// What a program of `tests/told` answers to one question.
pub fn foreign(program: &str, asked: &Value) -> Value {
    let mut child = Command::new(python())
        .arg(format!("{}/told/{program}", env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tools of the tests: run scripts/setup test");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), asked.to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{program} does not agree");
    serde_json::from_slice(&out.stdout).unwrap()
}

impl MailServer {
    pub fn start() -> Self {
        let mut child = Command::new(python())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/told/mail.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tools of the tests: run scripts/setup test");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = lines.next().expect("the mail server's port").unwrap().parse().unwrap();
        let (tell, mails) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { url: format!("smtp://127.0.0.1:{port}"), mails, _stdin: child.stdin.take(), child }
    }

    /// A message that has come, if one has.
    pub fn taken(&self) -> Option<Value> {
        self.mails.try_recv().ok()
    }

    /// The next message, within 20 seconds.
    pub fn next(&self) -> Value {
        self.mails.recv_timeout(Duration::from_secs(20)).expect("an e-mail")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
