//! What pip wrote, in our words.

use crate::error::Failure;
use crate::registry::PackageSource;

/// Words in the lines that tell of a broken connection, in pips since 2020.
const CONNECTION_MARKS: [&str; 5] =
    ["connection broken", "ConnectionError", "Connection aborted", "timed out", "IncompleteRead"];

/// A failure with a meaning of its own, if the log tells of one.
pub(crate) fn explain(log: &str, package: &PackageSource) -> Option<Failure> {
    let archive = format!("the archive of {}=={}", package.name, package.version);
    wrong_hash(log, archive).or_else(|| broken_connection(log))
}

/// The first error, else the last line.
pub(crate) fn first_error(log: &str) -> Option<String> {
    let message = |line: &str| {
        let stripped = line.strip_prefix("ERROR: ").or_else(|| line.strip_prefix("error: "));
        stripped.map(str::to_string)
    };
    let last = || log.lines().map(str::trim).rfind(|line| !line.is_empty());
    log.lines().find_map(message).or_else(|| last().map(str::to_string))
}

fn wrong_hash(log: &str, file: String) -> Option<Failure> {
    let word_after = |mark: &str| {
        let word = log.split_once(mark)?.1.split_whitespace().next();
        word.map(str::to_string)
    };
    let (expected, got) = (word_after("Expected sha256 ")?, word_after("Got  ")?);
    Some(Failure::Checksum { file, expected, got })
}

fn broken_connection(log: &str) -> Option<Failure> {
    let tells = |line: &&str| CONNECTION_MARKS.iter().any(|mark| line.contains(mark));
    let line = log.lines().rfind(tells)?.trim();
    // The reason stands in the middle of nested Python objects and ends with a quote, e.g.
    // `…('<… object at 0x7f>: Failed to establish a new connection: [Errno 111] …'))': /…`.
    let reason = line.find("Failed to").and_then(|start| line[start..].split(['\'', '"']).next());
    let (server, detail) = ("the package index".to_string(), reason.unwrap_or(line).to_string());
    Some(Failure::Network { server, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_a_network_failure_with_its_reason() {
        let old = "WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError('No \
            proxy', NewConnectionError('<x object at 0x7f>: Failed to establish a new connection: \
            [Errno 111] Connection refused'))': /simple/x/\nERROR: No matching distribution";
        let new = "WARNING: Retrying after connection broken by 'NewConnectionError(\"Connection(\
            host='h', port=9): Failed to establish a new connection: \
            [Errno 111] Connection refused\")': /simple/x/";
        for log in [old, new] {
            assert_eq!(
                broken_connection(log).unwrap().to_string(),
                "no answer from the package index (Failed to establish a new connection: \
                 [Errno 111] Connection refused)"
            );
        }
    }

    #[test]
    fn an_unknown_version_is_reported_in_the_words_of_pip() {
        let log = "WARNING: x\nERROR: Could not find version 2 (from versions: 1)\nERROR: No match";
        assert!(broken_connection(log).is_none());
        assert_eq!(first_error(log).unwrap(), "Could not find version 2 (from versions: 1)");
    }

    #[test]
    fn without_an_error_the_last_line_is_reported() {
        assert_eq!(first_error("a\n  killed \n\n").unwrap(), "killed");
        assert_eq!(first_error("\n"), None);
    }
}
