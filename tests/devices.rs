//! The devices that the laws are checked on.

use std::{
    io::{Write, stderr},
    panic::catch_unwind,
    sync::OnceLock,
};

use burn::tensor::Device;

/// Set to `1` where an adapter must be there, as in CI: then its absence fails the tests.
const REQUIRED: &str = "PEFT_ZOO_REQUIRE_WGPU";

/// Checks a law on flex.
pub fn on_flex(law: fn(&Device)) {
    law(&Device::flex());
}

/// Checks a law on wgpu, or says that it was not checked and why.
pub fn on_wgpu(law: fn(&Device)) {
    match wgpu() {
        Ok(device) => law(device),
        Err(why) if std::env::var(REQUIRED).is_ok_and(|value| value == "1") => {
            panic!("{REQUIRED}=1, but there is no wgpu device: {why}")
        }
        Err(_) => {}
    }
}

/// The process's one wgpu device: its runtime can be started only once.
fn wgpu() -> &'static Result<Device, String> {
    static WGPU: OnceLock<Result<Device, String>> = OnceLock::new();
    WGPU.get_or_init(|| {
        let device = start_wgpu();
        // Around the capture of the test harness, which would hide it.
        let _ = match &device {
            Ok((_, adapter)) => writeln!(stderr(), "wgpu: {adapter}"),
            Err(why) => writeln!(
                stderr(),
                "SKIPPED: every test on wgpu, for there is no adapter ({why}). A software adapter \
                 will do: `apt-get install mesa-vulkan-drivers` on Debian and Ubuntu."
            ),
        };
        device.map(|(device, _)| device)
    })
}

fn start_wgpu() -> Result<(Device, String), String> {
    let started = catch_unwind(|| Device::wgpu_options().init_with_setup())
        .map_err(|_| "its start panicked".to_owned())?;
    let (device, setup) = started.map_err(|error| format!("{error:?}"))?;
    let adapter = setup.adapter.get_info();
    let name = format!("{} through {}, driver {}", adapter.name, adapter.backend, adapter.driver);
    Ok((device, name))
}
