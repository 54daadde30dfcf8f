//! The machine: its clock, room on the disk, and who may read the files.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::Finding;
use crate::clock::Clock;
use crate::config::Config;

pub fn look(config: &Config, clock: &Clock) -> Vec<Finding> {
    vec![time(clock), disk(&config.data_dir), files(config)]
}

/// 2026-01-01: no server of this version ran before.
const BUILT: i64 = 1_767_225_600_000;

fn time(clock: &Clock) -> Finding {
    const WHAT: &str = "clock";
    let mend = "sudo timedatectl set-ntp true";
    if clock.now() < BUILT {
        return Finding::bad(WHAT, "the clock stands in the past", mend);
    }
    // What systemd-timesyncd, chrony and ntpd leave while they keep the time.
    let kept = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];
    if kept.iter().any(|path| Path::new(path).exists()) {
        Finding::good(WHAT, "the time is kept by the network")
    } else {
        Finding::warning(WHAT, "nothing seems to keep the time", mend)
    }
}

fn disk(data_dir: &Path) -> Finding {
    const WHAT: &str = "disk";
    // The data folder may not be there yet.
    let there = data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let Ok(known) = rustix::fs::statvfs(there) else {
        return Finding::warning(WHAT, format!("{} tells nothing", there.display()), "look at it with df -h");
    };
    let (free, all) = (known.f_bavail * known.f_frsize, (known.f_blocks * known.f_frsize).max(1));
    let (gb, part) = (free as f64 / 1e9, free * 100 / all);
    let said = format!("{gb:.1} GB free for {} ({part} %)", data_dir.display());
    let mend = "more room, or KILELE_MEDIA_URL=s3://… for the pictures";
    if free < 500_000_000 || known.f_files > 0 && known.f_favail == 0 {
        Finding::bad(WHAT, said, mend)
    } else if free < 5_000_000_000 || part < 10 {
        Finding::warning(WHAT, said, mend)
    } else {
        Finding::good(WHAT, said)
    }
}

fn files(config: &Config) -> Finding {
    const WHAT: &str = "files";
    let folder = &config.data_dir;
    let Ok(known) = std::fs::metadata(folder) else {
        return Finding::good(WHAT, format!("{} is made at the first start", folder.display()));
    };
    let mode = known.permissions().mode() & 0o777;
    let own = rustix::process::geteuid().as_raw();
    if mode & 0o007 != 0 {
        let mend = format!("chmod 750 {}", folder.display());
        return Finding::bad(
            WHAT,
            format!("everybody on this machine may look into {} (mode {mode:o})", folder.display()),
            mend,
        );
    }
    if own != 0 && known.uid() != own {
        let mend = "run doctor as the user of the server: sudo -u kilele kilele doctor";
        return Finding::warning(WHAT, format!("{} belongs to somebody else", folder.display()), mend);
    }
    Finding::good(WHAT, format!("{} is closed to others (mode {mode:o})", folder.display()))
}
