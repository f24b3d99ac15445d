//! The whole contract between a method and a backbone, on one page.
//!
//! A frozen transformer asks four questions while it computes, and a method answers those
//! it cares about:
//!
//! 1. *What do I add to this linear map?* `y = x W + b + delta(x)` ([`Injection::linear_delta`])
//! 2. *What goes before the input?* `[prompt; x]` ([`Injection::prompt`])
//! 3. *What goes before this layer's keys and values?* `[prefix; K]`, `[prefix; V]`
//!    ([`Injection::prefixes`])
//! 4. *At which position does the input begin?* ([`Injection::first_position`])
//!
//! A backbone knows no method and a method knows no backbone; both know this page.

use std::{fmt, str::FromStr};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// What a linear map is for, whatever a checkpoint calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Makes the attention's queries.
    Query,
    /// Makes the attention's keys.
    Key,
    /// Makes the attention's values.
    Value,
    /// Maps the attention's result back to the model's width.
    Output,
    /// The gate of a gated feed-forward block.
    Gate,
    /// The feed-forward block's widening map.
    Up,
    /// The feed-forward block's narrowing map.
    Down,
}

impl Role {
    /// Every role, in the order of computation.
    pub const ALL: [Role; 7] =
        [Role::Query, Role::Key, Role::Value, Role::Output, Role::Gate, Role::Up, Role::Down];

    /// The name used in configurations and tables.
    pub fn name(self) -> &'static str {
        match self {
            Role::Query => "query",
            Role::Key => "key",
            Role::Value => "value",
            Role::Output => "output",
            Role::Gate => "gate",
            Role::Up => "up",
            Role::Down => "down",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Role::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| {
            let known = Role::ALL.map(Role::name).join(", ");
            format!("unknown role '{name}'; the roles are {known}")
        })
    }
}

/// One linear map of a backbone: which layer, which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Layer, counted from 0 at the input.
    pub layer: usize,
    /// What the map is for.
    pub role: Role,
}

impl fmt::Display for Site {
    /// `layer.role`, e.g. `3.query`: the name that per-site patterns match.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.layer, self.role)
    }
}

/// Keys and values that stand before a layer's own, the same for every row of a batch.
#[derive(Clone, Debug)]
pub struct KeyValue {
    /// `[n_kv_heads, n_prefix, d_head]`
    pub key: Tensor<3>,
    /// `[n_kv_heads, n_prefix, d_head]`
    pub value: Tensor<3>,
}

/// What is added to the output of a linear map, as a function of the map's input.
///
/// # Shapes
/// - input: `[batch, seq, d_in]`
/// - result: `[batch, seq, d_out]`
pub type Delta<'a> = Box<dyn Fn(&Tensor<3>) -> Tensor<3> + 'a>;

/// A method's answers to a backbone's questions. The default answer is "nothing".
pub trait Injection {
    /// What to add to the output of the linear map at `site`, if anything.
    fn linear_delta(&self, _site: Site) -> Option<Delta<'_>> {
        None
    }

    /// Vectors to put before the embedded input, `[n_prompt, d_model]`. Asked once per pass.
    fn prompt(&self) -> Option<Tensor<2>> {
        None
    }

    /// Keys and values to put before each layer's own: none, or one for each layer, all of one
    /// length. Asked once per pass.
    fn prefixes(&self) -> Vec<KeyValue> {
        Vec::new()
    }

    /// The position of the first row that goes in, a prompt's or the input's: 0, unless keys and
    /// values before it count as positions too.
    fn first_position(&self) -> usize {
        0
    }
}

/// The backbone as it was pretrained: every answer is "nothing".
#[derive(Clone, Copy, Debug, Default)]
pub struct Untouched;

impl Injection for Untouched {}
