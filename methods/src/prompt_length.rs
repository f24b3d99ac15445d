//! The bound that every method with virtual tokens shares.

use backbones::BackboneSpec;

use crate::method::ConfigError;

/// Checks that a prompt leaves room for `[CLS]`, one word and `[SEP]`.
///
/// Whether it leaves room for the longest text of a task is known only when a run is planned.
///
/// # Errors
/// [`ConfigError::OutOfRange`] with the largest length that fits.
pub fn check_tokens(tokens: usize, spec: &BackboneSpec) -> Result<(), ConfigError> {
    let largest = spec.n_positions.saturating_sub(3);
    if tokens == 0 || tokens > largest {
        let expected = format!("1 to {largest}: the model has {} positions", spec.n_positions);
        return Err(ConfigError::out_of_range("tokens", tokens, expected));
    }
    Ok(())
}

/// The widest encoder: its matrices are of this width squared.
const WIDEST: usize = 16_384;

/// Checks the hidden width of an encoder that makes virtual tokens.
///
/// # Errors
/// [`ConfigError::OutOfRange`] for a width of 0 or beyond 16,384.
pub fn check_hidden(hidden: Option<usize>) -> Result<(), ConfigError> {
    match hidden {
        Some(hidden) if hidden == 0 || hidden > WIDEST => {
            Err(ConfigError::out_of_range("hidden", hidden, format!("1 to {WIDEST}")))
        }
        _ => Ok(()),
    }
}
