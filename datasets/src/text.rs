//! From bytes to text: encodings, the byte order mark, line ends.

use std::path::Path;

use crate::{DataError, Encoding};

/// The whole file as text with `\n` line ends and without a byte order mark.
pub(crate) fn read(path: &Path, encoding: Encoding) -> Result<String, DataError> {
    let bytes =
        std::fs::read(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(DataError::Utf16 { path: path.to_owned() });
    }
    let text = match encoding {
        Encoding::Utf8 => utf8(path, bytes)?,
        // Latin-1 is the first 256 characters of Unicode in order.
        Encoding::Latin1 => bytes.into_iter().map(char::from).collect(),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    Ok(text)
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String, DataError> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        DataError::NotUtf8 {
            path: path.to_owned(),
            line: 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count(),
            offset,
            byte: bytes[offset],
        }
    })
}
