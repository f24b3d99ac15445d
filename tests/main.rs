//! The laws of the zoo, as tests.
