//! Where to compute.

use anyhow::{Result, bail};
use burn::tensor::{
    Device,
    wgpu::{WgpuBackend, WgpuSetup, wgpu},
};
use clap::ValueEnum;

/// What can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// A real GPU through wgpu where there is one, else flex.
    #[default]
    Auto,
    /// The GPU that wgpu likes best; a software adapter too.
    Wgpu,
    /// wgpu through Vulkan.
    Vulkan,
    /// wgpu through Metal.
    Metal,
    /// wgpu through Direct3D 12.
    Dx12,
    /// Burn's CPU backend with vector kernels.
    Flex,
    /// Burn's ndarray CPU backend (needs the cargo feature `ndarray`).
    Ndarray,
}

/// A device, and how it came to be chosen.
pub struct Chosen {
    /// The plain device.
    pub device: Device,
    /// Its short name, e.g. `flex`.
    pub name: String,
    /// The adapter or the processor.
    pub hardware: String,
    /// Why this one.
    pub reason: String,
}

/// An adapter that wgpu found.
pub struct Adapter {
    /// Graphics interface, e.g. `vulkan`.
    pub api: String,
    /// Name as the driver says it.
    pub name: String,
    /// Whether it computes on the processor.
    pub is_software: bool,
}

impl Adapter {
    fn of(setup: &WgpuSetup) -> Self {
        let info = setup.adapter.get_info();
        Self {
            api: format!("{:?}", info.backend).to_lowercase(),
            name: info.name,
            is_software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }
}

/// Opens the device that was asked for.
///
/// # Errors
/// A device that was asked for by name and is not there.
pub fn choose(choice: DeviceChoice) -> Result<Chosen> {
    match choice {
        DeviceChoice::Auto => Ok(automatic()),
        DeviceChoice::Flex => Ok(flex("asked for".to_owned())),
        DeviceChoice::Ndarray => ndarray(),
        DeviceChoice::Wgpu => gpu(WgpuBackend::Auto, "wgpu"),
        DeviceChoice::Vulkan => gpu(WgpuBackend::Vulkan, "vulkan"),
        DeviceChoice::Metal => gpu(WgpuBackend::Metal, "metal"),
        DeviceChoice::Dx12 => gpu(WgpuBackend::Dx12, "dx12"),
    }
}

fn automatic() -> Chosen {
    match open(WgpuBackend::Auto) {
        Ok((_, adapter)) if adapter.is_software => {
            flex(format!("the only adapter, {}, computes on the CPU and slower", adapter.name))
        }
        Ok((device, adapter)) => {
            let reason = "a GPU is there".to_owned();
            Chosen { device, name: adapter.api, hardware: adapter.name, reason }
        }
        Err(_) => flex("no GPU was found".to_owned()),
    }
}

fn gpu(api: WgpuBackend, name: &str) -> Result<Chosen> {
    match open(api) {
        Ok((device, adapter)) => Ok(Chosen {
            device,
            name: adapter.api,
            hardware: adapter.name,
            reason: "asked for".to_owned(),
        }),
        Err(problem) => bail!(
            "device '{name}' cannot be opened: {problem}; see 'bench-suite devices', or use \
             --device flex (software Vulkan: install Debian's mesa-vulkan-drivers)"
        ),
    }
}

/// A wgpu device and its adapter. Opening one twice in a process is an error of Burn's.
fn open(api: WgpuBackend) -> Result<(Device, Adapter), String> {
    let options = Device::wgpu_options().graphics_api(api);
    match options.init_with_setup() {
        Ok((device, setup)) => Ok((device, Adapter::of(&setup))),
        Err(error) => Err(error.to_string()),
    }
}

fn flex(reason: String) -> Chosen {
    Chosen { device: Device::flex(), name: "flex".to_owned(), hardware: cpu_name(), reason }
}

#[cfg(feature = "ndarray")]
fn ndarray() -> Result<Chosen> {
    Ok(Chosen {
        device: Device::ndarray(),
        name: "ndarray".to_owned(),
        hardware: cpu_name(),
        reason: "asked for".to_owned(),
    })
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Result<Chosen> {
    bail!(
        "device 'ndarray' is not built in; build with \
         'cargo run --release -p bench-suite --features ndarray', or use --device flex"
    )
}

/// Every adapter that wgpu finds, without opening one.
pub fn adapters() -> Vec<Adapter> {
    let instance = wgpu::Instance::default();
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
        .into_iter()
        .map(|adapter| {
            let info = adapter.get_info();
            Adapter {
                api: format!("{:?}", info.backend).to_lowercase(),
                name: info.name,
                is_software: info.device_type == wgpu::DeviceType::Cpu,
            }
        })
        .collect()
}

/// The processor's name, as the system tells it.
pub fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("model name"));
    match line.and_then(|line| line.split_once(':')) {
        Some((_, name)) => name.trim().to_owned(),
        None => std::env::consts::ARCH.to_owned(),
    }
}

/// Threads that the process may use.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
