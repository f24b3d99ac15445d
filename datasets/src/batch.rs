//! From rows of different lengths to rectangles.
//!
//! Rows of about equal length go into one batch, so nearly no padding is computed. Rows are
//! spread evenly: the sizes of two batches differ by one row at most, and no straggler of two
//! rows gets an optimizer step of its own.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::Encoded;

/// The id at padded places. Which one it is does not matter: [`Batch::mask`] hides it.
pub const PAD_ID: i32 = 0;

/// Rows padded on the right to one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Rows.
    pub n: usize,
    /// Length of the longest row, to which the others are padded.
    pub seq: usize,
    /// Token ids, row major, `[n, seq]`.
    pub ids: Vec<i32>,
    /// Segment of each token, `[n, seq]`.
    pub type_ids: Vec<i32>,
    /// True where a token is, false where padding is, `[n, seq]`.
    pub mask: Vec<bool>,
    /// Class of each row, `[n]`.
    pub labels: Vec<i32>,
    /// True tokens, padding not counted.
    pub n_tokens: usize,
    /// Index of each row in the encoded slice, `[n]`.
    pub rows: Vec<usize>,
}

/// The batches of one epoch: every row once, in an order that depends on seed and epoch alone.
///
/// Rows are shuffled, then sorted by length, so rows of equal length meet in ever new
/// batches; the batches themselves are shuffled, so lengths come mixed.
/// A `batch_size` of 0 is taken as 1.
///
/// # Panics
/// If there are not as many labels as rows.
pub fn train_batches(
    encoded: &[Encoded],
    labels: &[usize],
    batch_size: usize,
    seed: u64,
    epoch: usize,
) -> Vec<Batch> {
    // Both numbers whole in one key: no two pairs of seed and epoch share their order.
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(epoch as u64).to_le_bytes());
    let mut rng = StdRng::from_seed(key);
    let mut order: Vec<usize> = (0..encoded.len()).collect();
    order.shuffle(&mut rng);
    let mut batches = by_length(order, encoded, labels, batch_size);
    batches.shuffle(&mut rng);
    batches
}

/// Batches for evaluation: every row once, from short to long.
/// A `batch_size` of 0 is taken as 1.
///
/// # Panics
/// If there are not as many labels as rows.
pub fn eval_batches(encoded: &[Encoded], labels: &[usize], batch_size: usize) -> Vec<Batch> {
    by_length((0..encoded.len()).collect(), encoded, labels, batch_size)
}

fn by_length(
    mut order: Vec<usize>,
    encoded: &[Encoded],
    labels: &[usize],
    batch_size: usize,
) -> Vec<Batch> {
    assert_eq!(encoded.len(), labels.len(), "one label for each row");
    order.sort_by_key(|&row| encoded[row].ids.len());
    let n = order.len();
    let n_batches = n.div_ceil(batch_size.max(1));
    (0..n_batches)
        .map(|i| batch(&order[i * n / n_batches..(i + 1) * n / n_batches], encoded, labels))
        .collect()
}

fn batch(rows: &[usize], encoded: &[Encoded], labels: &[usize]) -> Batch {
    let lengths = || rows.iter().map(|&row| encoded[row].ids.len());
    let (n, seq) = (rows.len(), lengths().max().unwrap_or(0));
    let mut batch = Batch {
        n,
        seq,
        ids: vec![PAD_ID; n * seq],
        type_ids: vec![0; n * seq],
        mask: vec![false; n * seq],
        labels: rows.iter().map(|&row| labels[row] as i32).collect(),
        n_tokens: lengths().sum(),
        rows: rows.to_vec(),
    };
    for (i, &row) in rows.iter().enumerate() {
        let tokens = encoded[row].ids.iter().zip(&encoded[row].type_ids);
        for (place, (&id, &type_id)) in (i * seq..).zip(tokens) {
            batch.ids[place] = id as i32;
            batch.type_ids[place] = type_id as i32;
            batch.mask[place] = true;
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// Rows of 3 to 60 tokens; the ids of row i are all i + 1, so a row can be recognised.
    fn rows(n: usize) -> (Vec<Encoded>, Vec<usize>) {
        let mut rng = StdRng::seed_from_u64(9);
        let row = |i: usize, length: usize| Encoded {
            ids: vec![i as u32 + 1; length],
            type_ids: (0..length).map(|place| u32::from(place > 1)).collect(),
            truncated: false,
        };
        let encoded = (0..n).map(|i| row(i, rng.random_range(3..60))).collect();
        (encoded, (0..n).map(|i| i % 5).collect())
    }

    fn seen(batches: &[Batch]) -> Vec<usize> {
        let mut seen: Vec<usize> = batches.iter().flat_map(|b| b.rows.clone()).collect();
        seen.sort_unstable();
        seen
    }

    #[test]
    fn every_row_is_in_exactly_one_batch_whatever_the_sizes() {
        for n in [0, 1, 7, 31, 32, 33, 500] {
            let (encoded, labels) = rows(n);
            for batch_size in [0, 1, 8, 32, 1000] {
                let all: Vec<usize> = (0..n).collect();
                assert_eq!(seen(&train_batches(&encoded, &labels, batch_size, 1, 2)), all);
                assert_eq!(seen(&eval_batches(&encoded, &labels, batch_size)), all);
            }
        }
    }

    #[test]
    fn a_batch_holds_its_rows_padded_on_the_right() {
        let (encoded, labels) = rows(100);
        for batch in train_batches(&encoded, &labels, 8, 3, 0) {
            assert_eq!((batch.n, batch.ids.len()), (batch.rows.len(), batch.n * batch.seq));
            assert_eq!(batch.n_tokens, batch.mask.iter().filter(|&&real| real).count());
            for (i, &row) in batch.rows.iter().enumerate() {
                let places = i * batch.seq..(i + 1) * batch.seq;
                let length = encoded[row].ids.len();
                let (ids, padding) = batch.ids[places.clone()].split_at(length);
                assert!(ids.iter().all(|&id| id == row as i32 + 1));
                assert!(padding.iter().all(|&id| id == PAD_ID));
                assert_eq!(
                    batch.mask[places.clone()],
                    [vec![true; length], vec![false; padding.len()]].concat()
                );
                let segments: Vec<u32> = batch.type_ids[places].iter().map(|&t| t as u32).collect();
                assert_eq!(segments[..length], encoded[row].type_ids);
                assert_eq!(batch.labels[i], labels[row] as i32);
            }
        }
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let (encoded, labels) = rows(200);
        let order = |seed, epoch| train_batches(&encoded, &labels, 16, seed, epoch);
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 2), order(2, 1));
    }

    #[test]
    fn batch_sizes_differ_by_one_at_most_and_never_exceed_the_limit() {
        let (encoded, labels) = rows(130);
        let sizes: Vec<usize> =
            train_batches(&encoded, &labels, 32, 1, 0).iter().map(|b| b.n).collect();
        assert_eq!(sizes.len(), 5);
        assert!(sizes.iter().all(|&n| n == 26));
        let (encoded, labels) = rows(67);
        let mut sizes: Vec<usize> =
            eval_batches(&encoded, &labels, 32).iter().map(|b| b.n).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [22, 22, 23]);
    }

    #[test]
    fn little_padding_is_computed() {
        let (encoded, labels) = rows(2000);
        let batches = train_batches(&encoded, &labels, 32, 1, 0);
        let places: usize = batches.iter().map(|b| b.n * b.seq).sum();
        let tokens: usize = batches.iter().map(|b| b.n_tokens).sum();
        assert!((places - tokens) as f64 / (places as f64) < 0.03);
    }

    #[test]
    fn rows_of_equal_length_meet_in_new_batches_in_each_epoch() {
        let same = Encoded { ids: vec![1; 4], type_ids: vec![0; 4], truncated: false };
        let (encoded, labels) = (vec![same; 64], vec![0; 64]);
        let partners = |epoch| {
            let batches = train_batches(&encoded, &labels, 8, 1, epoch);
            let mut rows = batches.into_iter().find(|b| b.rows.contains(&0)).unwrap().rows;
            rows.sort_unstable();
            rows
        };
        assert_ne!(partners(0), partners(1));
    }
}
