//! Writes the corpus of hostile files to a folder; called by `tests/fixtures/make`.

#[path = "../../tests/fixtures/hostile.rs"]
mod hostile;
#[path = "../tests/media/pictures.rs"]
mod pictures;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "hostile".into());
    std::fs::create_dir_all(&folder)?;
    for file in hostile::corpus() {
        std::fs::write(format!("{folder}/{}", file.name), &file.bytes)?;
        let fate = match file.fate {
            hostile::Fate::Quarantined(reasons) => reasons.join(" or "),
            hostile::Fate::Quarters => "a right picture".into(),
        };
        println!("{:9} bytes  {:40} {fate}", file.bytes.len(), file.name);
    }
    Ok(())
}
