//! Where to compute.

use anyhow::{Result, anyhow, bail};
use burn::tensor::{
    Device,
    wgpu::{WgpuBackend, wgpu},
};
use clap::ValueEnum;

/// What can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// A real GPU through wgpu where there is one, else flex.
    #[default]
    Auto,
    /// The first adapter that wgpu finds, real ones first; a software adapter too.
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
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Graphics interface.
    pub api: WgpuBackend,
    /// Name as the driver says it.
    pub name: String,
    /// Whether it computes on the processor.
    pub is_software: bool,
}

impl Adapter {
    /// The interface's name, as `--device` takes it.
    pub fn api_name(&self) -> &'static str {
        match self.api {
            WgpuBackend::Vulkan => "vulkan",
            WgpuBackend::Metal => "metal",
            WgpuBackend::Dx12 => "dx12",
            _ => "wgpu",
        }
    }
}

/// Opens the device that was asked for.
///
/// # Errors
/// A device that was asked for by name and is not there.
pub fn choose(choice: DeviceChoice) -> Result<Chosen> {
    match choice {
        DeviceChoice::Auto => automatic(),
        DeviceChoice::Flex => Ok(flex("asked for".to_owned())),
        DeviceChoice::Ndarray => ndarray(),
        DeviceChoice::Wgpu => asked_for("wgpu", None),
        DeviceChoice::Vulkan => asked_for("vulkan", Some(WgpuBackend::Vulkan)),
        DeviceChoice::Metal => asked_for("metal", Some(WgpuBackend::Metal)),
        DeviceChoice::Dx12 => asked_for("dx12", Some(WgpuBackend::Dx12)),
    }
}

fn automatic() -> Result<Chosen> {
    let adapters = adapters();
    match adapters.iter().find(|adapter| !adapter.is_software) {
        Some(gpu) => open(gpu, "a GPU is there")
            .or_else(|error| Ok(flex(format!("the GPU {} cannot be opened ({error})", gpu.name)))),
        None => Ok(flex(match adapters.first() {
            None => "no GPU was found".to_owned(),
            Some(software) => {
                format!("no GPU was found; {} computes on the CPU, and slower", software.name)
            }
        })),
    }
}

/// The first adapter of an interface; real ones come first.
fn asked_for(name: &str, api: Option<WgpuBackend>) -> Result<Chosen> {
    let adapters = adapters();
    let fitting = adapters.iter().find(|adapter| api.is_none_or(|api| adapter.api == api));
    let Some(adapter) = fitting else {
        bail!(
            "device '{name}': no adapter was found; 'bench-suite devices' lists what is there, \
             --device flex computes on the CPU (software Vulkan: Debian's mesa-vulkan-drivers)"
        );
    };
    open(adapter, "asked for")
}

fn open(adapter: &Adapter, reason: &str) -> Result<Chosen> {
    let options = Device::wgpu_options().graphics_api(adapter.api);
    // Burn picks a real adapter before a software one, as we do.
    let (device, setup) = options
        .init_with_setup()
        .map_err(|error| anyhow!("{} through {}: {error}", adapter.name, adapter.api_name()))?;
    Ok(Chosen {
        device,
        name: adapter.api_name().to_owned(),
        hardware: setup.adapter.get_info().name,
        reason: reason.to_owned(),
    })
}

/// Every adapter that wgpu finds, real ones first, without opening one.
///
/// OpenGL is left out: where it is the only interface, the CPU is the better choice.
pub fn adapters() -> Vec<Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    let instance = wgpu::Instance::new(descriptor);
    let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut adapters: Vec<Adapter> = found
        .iter()
        .map(wgpu::Adapter::get_info)
        .filter_map(|info| {
            let api = match info.backend {
                wgpu::Backend::Vulkan => WgpuBackend::Vulkan,
                wgpu::Backend::Metal => WgpuBackend::Metal,
                wgpu::Backend::Dx12 => WgpuBackend::Dx12,
                _ => return None,
            };
            let is_software = info.device_type == wgpu::DeviceType::Cpu;
            Some(Adapter { api, name: info.name, is_software })
        })
        .collect();
    adapters.sort_by_key(|adapter| adapter.is_software);
    adapters
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
