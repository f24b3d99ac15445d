use super::*;
use backbones::{Role, tiny::tiny_bert};
use rand::SeedableRng;

fn adalora(config: &AdaLoraConfig) -> Result<AdaLora, ConfigError> {
    let device = Device::flex();
    let spec = tiny_bert(0, &device).spec();
    AdaLora::init(config, &spec, &mut StdRng::seed_from_u64(0), &device)
}

fn small() -> AdaLoraConfig {
    AdaLoraConfig { initial_rank: 3, target_rank: 1, interval: 1, ..Default::default() }
}

#[test]
fn the_budget_is_cubic_between_warm_up_and_final_phase() {
    let config = AdaLoraConfig { warmup_share: 0.2, final_share: 0.3, interval: 5, ..small() };
    let schedule = config.schedule(100, 4);
    assert_eq!(schedule.budget(20), None);
    // 4 sites: from 12 to 4. Half-way (step 45 of 20..70): 4 + 8 · 0.5³ = 5.
    assert_eq!(schedule.budget(45), Some(5));
    assert_eq!(schedule.budget(46), None, "between prunings");
    assert_eq!(schedule.budget(70), Some(4));
    assert_eq!(schedule.budget(75), None, "after the last");
    // The last pruning does not wait for its turn.
    assert_eq!(AdaLoraConfig { interval: 9, ..config }.schedule(100, 4).budget(70), Some(4));
}

#[test]
fn a_training_of_one_step_prunes_too() {
    for final_share in [0.0, 0.7] {
        let method = adalora(&AdaLoraConfig { warmup_share: 0.2, final_share, ..small() }).unwrap();
        let mut grads = GradientsParams::new();
        for triplets in &method.triplets {
            grads.register(triplets.q.id, Tensor::<2>::ones([16, 3], &Device::flex()));
        }
        let method = method.observe(&grads).after_step(Progress { step: 1, total: 1 });
        assert!(method.is_settled());
        assert_eq!(method.alive.iter().flatten().filter(|&&alive| alive).count(), 4);
    }
}

#[test]
fn the_scale_divides_alpha_by_the_initial_rank_even_after_pruning() {
    let mut method = adalora(&AdaLoraConfig { alpha: 6.0, ..small() }).unwrap();
    method.alive = vec![vec![true, false, false]; method.triplets.len()];
    method.silence_the_dead();
    assert_eq!(method.scale, 2.0);
}

#[test]
fn the_importance_follows_the_formulas_by_hand() {
    // One number w = 2 with gradients 3 and then 1; β₁ = β₂ = 0.5.
    // I₁ = 6, Ī₁ = 3, U₁ = 0.5·|6−3| = 1.5; I₂ = 2, Ī₂ = 2.5, U₂ = 0.75 + 0.5·0.5 = 1; s = 2.5.
    let device = Device::flex();
    let factor = |value: f32| init::matrix(vec![value], [1, 1], &device);
    let triplets = [Triplets {
        q: factor(2.0),
        lambda: factor(2.0),
        p: factor(2.0),
        site: Site { layer: 0, role: Role::Query },
    }];
    let mut importance = Importance::new(0.5, 0.5);
    for gradient in [3.0, 1.0] {
        let mut grads = GradientsParams::new();
        for id in [triplets[0].q.id, triplets[0].lambda.id, triplets[0].p.id] {
            grads.register(id, Tensor::<2>::full([1, 1], gradient, &device));
        }
        importance.keep_gradients(&triplets, &grads);
        importance.update(&triplets);
    }
    assert_eq!(importance.triplet_scores(), vec![vec![7.5]]);
}

#[test]
fn the_most_important_triplets_of_all_sites_survive() {
    let device = Device::flex();
    let mut method = adalora(&small()).unwrap();
    let mut grads = GradientsParams::new();
    for (site, triplets) in method.triplets.iter().enumerate() {
        // λ is zero, so its own importance is; Q's columns carry it. Site 2 matters most.
        let strength = if site == 2 { 9.0 } else { 1.0 };
        let rows = (0..16).flat_map(|_| [3.0, 1.0, 2.0]).map(|g: f32| g * strength).collect();
        let gradient = init::matrix(rows, [16, 3], &device).val().without_autodiff();
        grads.register(triplets.q.id, gradient / triplets.q.val().without_autodiff());
    }
    method = method.observe(&grads);
    method.importance.update(&method.triplets);
    method.allocate(4);
    let ranks: Vec<usize> =
        method.alive.iter().map(|alive| alive.iter().filter(|&&a| a).count()).collect();
    assert_eq!(ranks, [1, 0, 3, 0]);
    assert_eq!(method.alive[0], [true, false, false]);
}

#[test]
fn pruning_follows_training_without_anybody_calling_an_allocator() {
    let device = Device::flex();
    let mut method = adalora(&small()).unwrap();
    for step in 1..=10 {
        let mut grads = GradientsParams::new();
        for triplets in &method.triplets {
            let gradient = Tensor::<2>::full([16, 3], step as f32, &device);
            grads.register(triplets.q.id, gradient);
        }
        method = method.observe(&grads).after_step(Progress { step, total: 10 });
    }
    let alive: usize = method.alive.iter().flatten().filter(|&&alive| alive).count();
    assert_eq!(alive, 4, "4 sites times target rank 1");
    // From step 2 of 10 to step 6, from 12 triplets to 4: 4 + 8 · 0.75³ = 7, 4 + 8 · 0.5³ = 5, …
    let prunings = serde_json::json!([[3, 7], [4, 5], [5, 4], [6, 4]]);
    assert_eq!(method.details()["prunings"], prunings);
    let kept: usize = method.stored().iter().map(|(_, tensor)| tensor.shape().num_elements()).sum();
    assert_eq!(kept, 4 * (16 + 16 + 1));
}

#[test]
fn the_penalty_is_the_mean_distance_from_orthonormal_factors() {
    let device = Device::flex();
    let mut method = adalora(&AdaLoraConfig { orthogonality: 2.0, ..small() }).unwrap();
    for triplets in &mut method.triplets {
        // Columns of Q orthonormal; P = 0, so ‖P Pᵀ − I‖ = √3.
        let q = (0..48).map(|i| f32::from(i % 3 == i / 3)).collect();
        triplets.q = init::matrix(q, [16, 3], &device);
        triplets.p = init::zeros([3, 16], &device);
    }
    let penalty = method.penalty().unwrap().into_scalar::<f32>();
    assert!((penalty - 3f32.sqrt()).abs() < 1e-4, "{penalty}");
}

#[test]
fn bad_settings_are_named() {
    let error = |config: AdaLoraConfig| adalora(&config).unwrap_err().to_string();
    assert!(error(AdaLoraConfig { initial_rank: 17, ..small() }).contains("'initial_rank' is 17"));
    assert!(error(AdaLoraConfig { target_rank: 4, ..small() }).contains("'target_rank' is 4"));
    assert!(error(AdaLoraConfig { target_rank: 0, ..small() }).contains("'target_rank' is 0"));
    assert!(error(AdaLoraConfig { interval: 0, ..small() }).contains("'interval' is 0"));
    assert!(error(AdaLoraConfig { final_share: 0.9, ..small() }).contains("'final_share' is 0.9"));
    let beta = AdaLoraConfig { beta_sensitivity: 1.0, ..small() };
    assert!(error(beta).contains("'beta_sensitivity' is 1"));
}
