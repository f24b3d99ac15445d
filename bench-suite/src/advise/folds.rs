//! Training rows cut into folds.

use anyhow::{Result, bail};
use datasets::{Split, Task, TextEncoder};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{data::Data, training::Training};

/// The `k` ways to hold out one fold of the training rows.
///
/// # Errors
/// As [`fold`].
pub fn folds(
    task: &Task,
    k: usize,
    training: &Training,
    encoder: &TextEncoder,
) -> Result<Vec<Data>> {
    (0..k.max(1)).map(|i| fold(task, k, i, training, encoder)).collect()
}

/// The training rows with fold `i` of `k` held out, as the rows of a training: the held-out fold
/// is its validation split, and it has no test split. Every class is spread evenly.
///
/// # Errors
/// Fewer training rows than two for each fold.
pub fn fold(
    task: &Task,
    k: usize,
    i: usize,
    training: &Training,
    encoder: &TextEncoder,
) -> Result<Data> {
    let rows = &task.split.train;
    if k < 2 || rows.len() < 2 * k {
        bail!(
            "{} training rows cannot be cut into {k} folds; give 2 folds or more, and two rows or \
             more for each",
            rows.len()
        );
    }
    let place = places(rows.iter().map(|row| row.label), k);
    let pick = |is_held_out: bool| {
        let is_in = |(_, place): &(_, &usize)| (**place == i) == is_held_out;
        rows.iter().zip(&place).filter(is_in).map(|(row, _)| row.clone()).collect()
    };
    let split = Split { train: pick(false), validation: pick(true), test: vec![] };
    Data::new(Task { split, ..task.clone() }, training, encoder)
}

/// The fold of each row: the rows of a class are shuffled and dealt out one after the other,
/// each class going on where the one before stopped.
fn places(labels: impl Iterator<Item = usize>, k: usize) -> Vec<usize> {
    let labels: Vec<usize> = labels.collect();
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut StdRng::seed_from_u64(0));
    order.sort_by_key(|&row| labels[row]);
    let mut places = vec![0; labels.len()];
    order.into_iter().enumerate().for_each(|(i, row)| places[row] = i % k);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_has_its_share_of_every_class() {
        let labels: Vec<usize> = (0..90).map(|i| usize::from(i % 3 == 0)).collect();
        let places = places(labels.iter().copied(), 3);
        for fold in 0..3 {
            let of_class = |class| {
                let rows = labels.iter().zip(&places);
                rows.filter(|&(&label, &place)| label == class && place == fold).count()
            };
            assert_eq!((of_class(0), of_class(1)), (20, 10));
        }
        assert!(places.windows(4).any(|w| w[0] == w[1]), "dealt out in the order of the file");
    }
}
