//! JSON files that are written once and whole, and carry a version.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// The largest document that is read. A plan or a verdict is a few kilobytes; a larger file is not one.
const LARGEST: u64 = 64 << 20;

/// The version that every document has today.
pub(crate) const VERSION: u64 = 1;

/// Writes `bytes` as `file`, so that a reader sees the old content or the new, never a part.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = Path::new(&name);
    let write = || {
        let mut out = File::create(part)?;
        out.write_all(bytes)?;
        // A full disk may show only now.
        out.sync_data()
    };
    let outcome = write().and_then(|()| fs::rename(part, file));
    outcome.map_err(|error| {
        // What is left of the attempt only takes room on a disk that may be full.
        let _ = fs::remove_file(part);
        StoreError::io(file, "writing")(error)
    })
}

/// Writes a document as JSON for people: indented, with a final newline.
pub(crate) fn write(file: &Path, document: &impl Serialize) -> Result<(), StoreError> {
    let mut bytes = serde_json::to_vec_pretty(document).map_err(|error| StoreError::json(file, 1, &error))?;
    bytes.push(b'\n');
    write_whole(file, &bytes)
}

/// Reads a document called `what`; `None` when there is no such file.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, what: &str) -> Result<Option<T>, StoreError> {
    let source = match File::open(file) {
        Ok(source) => source,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(file, "opening")(error)),
    };
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes).map_err(StoreError::io(file, "reading"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(StoreError::malformed(file, 1, format!("more than {LARGEST} bytes: not a {what}")));
    }
    check_version(file, &bytes, what)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| StoreError::json(file, 1, &error))
}

/// The version is looked at first: the rest of an unknown version would give a misleading complaint.
fn check_version(file: &Path, bytes: &[u8], what: &str) -> Result<(), StoreError> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: Option<u64>,
    }
    let found: Versioned =
        serde_json::from_slice(bytes).map_err(|error| StoreError::json(file, 1, &error))?;
    match found.version {
        Some(VERSION) => Ok(()),
        Some(other) => Err(StoreError::malformed(
            file,
            1,
            format!("version {other} of the {what} format; this program reads version {VERSION}"),
        )),
        None => Err(StoreError::malformed(file, 1, format!("a {what} without a `version`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Sample {
        version: u64,
        count: u32,
    }

    fn read_text(text: &str) -> Result<Option<Sample>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sample.json");
        fs::write(&file, text).unwrap();
        read(&file, "sample").map_err(|error| {
            let text = error.to_string();
            text.strip_prefix(&format!("{}/", folder.path().display())).unwrap_or(&text).to_owned()
        })
    }

    #[test]
    fn a_document_comes_back_and_leaves_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sample.json");
        write(&file, &Sample { version: 1, count: 7 }).unwrap();
        assert_eq!(read(&file, "sample").unwrap(), Some(Sample { version: 1, count: 7 }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read::<Sample>(&folder.path().join("sample.json"), "sample").unwrap(), None);
    }

    #[test]
    fn every_error_names_file_line_and_reason() {
        let error = read_text("{\n\"version\": 1,\n\"count\": -4\n}").unwrap_err();
        assert_eq!(error, "sample.json:3: invalid value: integer `-4`, expected u32");
        let error = read_text("{\n\"version\": 1,").unwrap_err();
        assert_eq!(error, "sample.json:2: EOF while parsing a value");
        let error = read_text("{\"version\": 9, \"other\": true}").unwrap_err();
        assert_eq!(error, "sample.json:1: version 9 of the sample format; this program reads version 1");
        let error = read_text("{\"count\": 1}").unwrap_err();
        assert_eq!(error, "sample.json:1: a sample without a `version`");
        let error = read_text("").unwrap_err();
        assert_eq!(error, "sample.json:1: EOF while parsing a value");
    }

    #[test]
    fn a_refused_write_says_which_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nowhere/sample.json");
        let error = write(&file, &Sample { version: 1, count: 7 }).unwrap_err().to_string();
        assert!(error.contains("nowhere/sample.json: writing: "), "{error}");
    }
}
