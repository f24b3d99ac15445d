//! Attention of one batch element, on the thread that asks.

use packed::{Level, Matrix, product};

use crate::rows;
use crate::softmax::padded_bias;
use crate::transpose::transpose;

/// Query, key or value of one batch element, in borrowed memory. The features of a head follow
/// each other.
#[derive(Clone, Copy)]
pub struct Heads<'a> {
    /// From the first feature of the first head of the first token.
    pub values: &'a [f32],
    /// Tokens.
    pub n_tokens: usize,
    /// Features of a head.
    pub d_head: usize,
    /// Values from a head to the next.
    pub by_head: usize,
    /// Values from a token to the next.
    pub by_token: usize,
}

impl<'a> Heads<'a> {
    /// Tokens that start `by_token` apart, each with its heads one after the other.
    pub fn tokens(values: &'a [f32], n_tokens: usize, d_head: usize, by_token: usize) -> Self {
        Self { values, n_tokens, d_head, by_head: d_head, by_token }
    }

    /// One head: `[tokens, d_head]`.
    fn matrix(&self, head: usize) -> Matrix<'a> {
        let values = self.values.get(head * self.by_head..).unwrap_or_default();
        Matrix::new(values, [self.n_tokens, self.d_head], [self.by_token, 1])
    }

    /// One head transposed, `[d_head, tokens]`, in `memory`.
    fn transposed<'b>(&self, head: usize, memory: &'b mut Vec<f32>) -> Matrix<'b> {
        memory.resize(self.d_head * self.n_tokens, 0.0);
        transpose(self.matrix(head), memory);
        Matrix::rows(memory, [self.d_head, self.n_tokens])
    }
}

/// Query, key, value and bias of one batch element.
pub struct Attention<'a> {
    n_heads: usize,
    query: Heads<'a>,
    key: Heads<'a>,
    value: Heads<'a>,
    /// Padded to whole vectors.
    bias: Vec<f32>,
    scale: f32,
    level: Level,
}

impl<'a> Attention<'a> {
    /// Softmax is over the keys, with `bias` added, and weighs the values.
    pub fn new(
        n_heads: usize,
        query: Heads<'a>,
        key: Heads<'a>,
        value: Heads<'a>,
        bias: Option<&[f32]>,
    ) -> Self {
        Self {
            n_heads,
            bias: padded_bias(bias, key.n_tokens),
            scale: 1.0 / (query.d_head as f32).sqrt(),
            level: Level::best(),
            query,
            key,
            value,
        }
    }

    /// Values of one token, all heads: gradients and results lie token by token.
    fn width(&self) -> usize {
        self.n_heads * self.query.d_head
    }

    /// Space for the scores of one head: a row for each query, padded to whole vectors.
    fn scores(&self) -> Vec<f32> {
        vec![0.0; self.query.n_tokens * self.bias.len()]
    }

    /// The weights of one head: softmax(Q Kᵀ · scale + bias). The padding stays 0.
    fn weigh(&self, head: usize, scores: &mut [f32], memory: &mut Vec<f32>) {
        let (query, key) = (self.query.matrix(head), self.key.transposed(head, memory));
        product(self.level, query, key, scores, self.bias.len());
        rows::softmax(self.level, scores, &self.bias, self.scale);
    }

    fn weights<'b>(&self, values: &'b [f32]) -> Matrix<'b> {
        Matrix::new(values, [self.query.n_tokens, self.key.n_tokens], [self.bias.len(), 1])
    }

    /// The weights applied to the values; `out` holds zeros.
    pub fn forward(&self, out: &mut [f32]) {
        if self.key.n_tokens == 0 || out.is_empty() {
            return;
        }
        let mut weights = self.scores();
        let memory = &mut Vec::new();
        for head in 0..self.n_heads {
            self.weigh(head, &mut weights, memory);
            let value = self.value.matrix(head);
            let out = &mut out[head * self.value.d_head..];
            product(self.level, self.weights(&weights), value, out, self.width());
        }
    }

    /// The gradients of query, key and value; all three hold zeros.
    pub fn backward(&self, grad: Heads, [q, k, v]: [&mut [f32]; 3]) {
        if q.is_empty() || k.is_empty() {
            return;
        }
        let (level, width) = (self.level, self.width());
        let mut weights = self.scores();
        let mut grads = self.scores();
        let memory = &mut Vec::new();
        for head in 0..self.n_heads {
            let [query, key, grad] = [&self.query, &self.key, &grad].map(|x| x.matrix(head));
            let start = head * self.query.d_head;
            self.weigh(head, &mut weights, memory);
            let to_value = self.weights(&weights).transposed();
            product(level, to_value, grad, &mut v[start..], width);
            let value = self.value.transposed(head, memory);
            product(level, grad, value, &mut grads, self.bias.len());
            rows::softmax_backward(level, &mut grads, &weights, self.bias.len(), self.scale);
            let scores = self.weights(&grads);
            product(level, scores, key, &mut q[start..], width);
            product(level, scores.transposed(), query, &mut k[start..], width);
        }
    }
}
