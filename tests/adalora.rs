//! AdaLoRA where the linear maps differ in width, so that triplets differ in size.

use burn::tensor::Device;
use serde_json::json;

use crate::{
    subject::{Subject, read},
    training::Training,
};

#[test]
fn the_budget_counts_triplets_over_all_sites_whatever_their_width() {
    let settings = json!({"initial_rank": 4, "target_rank": 2, "roles": ["query", "up", "down"]});
    let subject = Subject::new(read("adalora", settings), &Device::flex());
    let method = Training::of(&subject).run(subject.fresh(), 8, 8, |_| {});
    let stored = method.stored();
    let ranks = stored.iter().filter(|(name, _)| name.ends_with(".lambda"));
    let ranks: Vec<usize> = ranks.map(|(_, lambda)| lambda.dims()[1]).collect();
    assert_eq!(ranks.len(), 6, "2 layers of 3 maps");
    assert_eq!(ranks.iter().sum::<usize>(), 6 * 2);
    let n: usize = stored.iter().map(|(_, t)| t.shape().num_elements()).sum();
    // Q + λ + P of a triplet: 16 + 1 + 16 numbers at a query, 16 + 1 + 32 at the others.
    let expected = ranks.iter().zip([33, 49, 49].iter().cycle()).map(|(r, n)| r * n);
    assert_eq!(n, expected.sum::<usize>());
    let reported = &method.details()["surviving_rank"];
    let reported =
        reported.as_object().unwrap().values().map(|rank| rank.as_u64().unwrap() as usize);
    assert_eq!(reported.collect::<Vec<_>>(), ranks);
}
