use super::*;
use backbones::tiny::tiny_bert;
use rand::SeedableRng;

fn spec() -> BackboneSpec {
    tiny_bert(0, &Device::flex()).spec()
}

fn init(config: &LoraConfig) -> Result<Lora, ConfigError> {
    Lora::init(config, &spec(), &mut StdRng::seed_from_u64(0), &Device::flex())
}

#[test]
fn the_delta_is_alpha_over_r_times_x_a_b() {
    let device = Device::flex();
    let mut lora = init(&LoraConfig { rank: 1, alpha: 3.0, ..Default::default() }).unwrap();
    // a = [1, 0, …]ᵀ and b = [2, 2, …]: the delta of x = [5, …] is 3/1 · 5 · 2 = 30 everywhere.
    let mut a = vec![0.0; 16];
    a[0] = 1.0;
    lora.branches[0].a = super::init::matrix(a, [16, 1], &device);
    lora.branches[0].b = super::init::matrix(vec![2.0; 16], [1, 16], &device);
    let site = Site { layer: 0, role: Role::Query };
    let x = Tensor::full([1, 1, 16], 5.0, &device);
    let delta = lora.linear_delta(site).unwrap()(&x).into_data();
    assert_eq!(delta.try_to_vec::<f32>().unwrap(), vec![30.0; 16]);
    let weight = lora.weight_delta(site).unwrap().into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(weight[..16], [6.0; 16]);
    assert_eq!(weight[16..], [0.0; 240]);
}

#[test]
fn rank_stabilised_scaling_divides_by_the_root_of_the_rank() {
    let config = LoraConfig { rank: 4, alpha: 8.0, rs_lora: true, ..Default::default() };
    assert_eq!(init(&config).unwrap().branches[0].scale, 4.0);
    let config = LoraConfig { rs_lora: false, ..config };
    assert_eq!(init(&config).unwrap().branches[0].scale, 2.0);
}

#[test]
fn patterns_set_rank_and_alpha_by_site() {
    let config = LoraConfig {
        rank_pattern: BTreeMap::from([("0.query".to_owned(), 2)]),
        alpha_pattern: BTreeMap::from([("value".to_owned(), 1.0)]),
        ..Default::default()
    };
    let lora = init(&config).unwrap();
    let seen: Vec<_> =
        lora.branches.iter().map(|b| (b.site.to_string(), b.b.dims()[0], b.scale)).collect();
    let expected =
        [("0.query", 2, 8.0), ("0.value", 8, 0.125), ("1.query", 8, 2.0), ("1.value", 8, 0.125)];
    assert_eq!(seen, expected.map(|(site, rank, scale)| (site.to_owned(), rank, scale)));
}

#[test]
fn the_gaussian_start_has_the_standard_deviation_one_over_the_rank() {
    let config = LoraConfig { rank: 16, init: LoraInit::Gaussian, ..Default::default() };
    let std = init(&config).unwrap().branches[0].a.val().var(0).mean().sqrt();
    let std = std.into_scalar::<f32>();
    assert!((std - 1.0 / 16.0).abs() < 0.01, "{std}");
}

#[test]
fn bad_settings_are_named() {
    let error = |config: LoraConfig| init(&config).unwrap_err().to_string();
    let base = LoraConfig::default;
    assert!(error(LoraConfig { rank: 0, ..base() }).contains("'rank' is 0; it must be 1 to 16"));
    assert!(error(LoraConfig { rank: 17, ..base() }).contains("'rank' is 17"));
    assert!(error(LoraConfig { alpha: f64::NAN, ..base() }).contains("'alpha' is NaN"));
    assert!(error(LoraConfig { dropout: 1.0, ..base() }).contains("'dropout' is 1"));
    assert!(error(LoraConfig { roles: vec![Role::Gate], ..base() }).contains("'gate'"));
    assert!(error(LoraConfig { layers: Some(vec![2]), ..base() }).contains("'layers' is 2"));
    let rank_pattern = BTreeMap::from([("9.query".to_owned(), 2)]);
    assert!(error(LoraConfig { rank_pattern, ..base() }).contains("matches none"));
}
