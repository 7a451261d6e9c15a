// A second device for the tests: torch's PrivateUse1 over the machine's own memory.
//
// Values are the CPU's; what is checked is where they lie. An operation that mixes a tensor of this device with a
// CPU tensor of one dimension or more raises, as on CUDA, and so does one that writes the mixture to a CPU tensor.
// Copies between the two devices are counted, and values that the program waits for.

#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/convolution.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <set>
#include <string>
#include <vector>

namespace {

constexpr auto CARD = c10::DeviceType::PrivateUse1;
const c10::Device PLACE(CARD, 0);
const c10::DispatchKeySet CPU_KEY(c10::DispatchKey::CPU), CARD_KEY(c10::DispatchKey::PrivateUse1);

int64_t counted[5] = {};  // copies to the device, copies from it, bytes to it, bytes from it, values waited for

// The host must know a value of the device before it can go on
const std::set<std::string> WAITS = {"aten::_local_scalar_dense", "aten::equal", "aten::nonzero", "aten::masked_select"};
// These copy a CPU index to the device
const std::set<std::string> INDEXES = {"aten::index", "aten::_unsafe_index", "aten::index_put", "aten::index_put_",
                                       "aten::_index_put_impl_"};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};

struct Guard final : c10::impl::NoOpDeviceGuardImpl<CARD> {
  c10::Device exchangeDevice(c10::Device) const override { return PLACE; }
  c10::Device getDevice() const override { return PLACE; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    auto own = c10::GetCPUAllocator()->allocate(bytes);
    auto remove = own.get_deleter();
    void* data = own.get();
    return {data, own.release_context(), remove, PLACE};
  }
  c10::DeleterFnPtr raw_deleter() const override { return c10::GetCPUAllocator()->raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
};

Memory memory;

c10::Allocator* allocator_of(c10::Device device) {
  return device.type() == CARD ? static_cast<c10::Allocator*>(&memory) : c10::GetCPUAllocator();
}

// ---- one memory, seen from either device

void let_go(void* held) { delete static_cast<c10::Storage*>(held); }

c10::Storage seen_from(c10::Device device, const c10::Storage& own) {
  c10::DataPtr data(own.mutable_data(), new c10::Storage(own), &let_go, device);
  return c10::Storage(c10::Storage::use_byte_size_t(), own.nbytes(), std::move(data), allocator_of(device), true);
}

at::Tensor laid_out_as(const at::Tensor& tensor, at::Tensor made) {
  auto* impl = made.unsafeGetTensorImpl();
  impl->set_storage_offset(tensor.storage_offset());
  impl->set_sizes_and_strides(tensor.sizes(), tensor.strides());
  return made;
}

at::Tensor tensor_on(c10::Device device, const at::Tensor& tensor) {
  const auto& key = device.type() == CARD ? CARD_KEY : CPU_KEY;
  auto storage = seen_from(device, tensor.storage());
  return laid_out_as(tensor, at::detail::make_tensor<c10::TensorImpl>(std::move(storage), key, tensor.dtype()));
}

// As its base it is an inference tensor or not, whatever the mode
at::Tensor view_of(const at::Tensor& base, const at::Tensor& tensor) {
  auto storage = base.storage();
  auto keys = base.key_set();
  return laid_out_as(tensor, at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, std::move(storage), keys,
                                                                      tensor.dtype()));
}

bool on_card(const at::Tensor& tensor) { return tensor.defined() && tensor.device().type() == CARD; }

at::Tensor as_cpu(const at::Tensor& tensor) {
  return on_card(tensor) ? tensor_on(c10::kCPU, tensor) : tensor;
}

// ---- any operation: the CPU's, on the same memory

struct Call {
  std::string name;
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs = {};  // of this device, and as the CPU sees them
  std::vector<std::pair<at::Tensor, bool>> others = {};       // of the CPU, and whether the operation writes to them

  at::Tensor taken(const at::Tensor& tensor, bool index, bool written) {
    if (!on_card(tensor)) {
      if (tensor.defined() && !index) others.emplace_back(tensor, written);
      return tensor;
    }
    pairs.emplace_back(tensor, as_cpu(tensor));
    return pairs.back().second;
  }

  void refuse_mixing() const {
    if (pairs.empty()) return;
    for (const auto& [tensor, written] : others) {
      TORCH_CHECK(tensor.dim() == 0 && !written, "Expected all tensors to be on the same device, but found at least ",
                  "two devices, ", PLACE, " and cpu! (", name, ", a CPU tensor of shape ", tensor.sizes(), ")");
    }
  }

  at::Tensor given_back(const at::Tensor& result) const {
    if (!result.defined()) return result;
    for (const auto& [card, cpu] : pairs) {
      if (!result.is_same(cpu)) continue;  // written in place or as ``out``, which may have got another shape
      auto* impl = card.unsafeGetTensorImpl();
      if (cpu.storage().data() != card.storage().data()) impl->set_storage_keep_dtype(seen_from(PLACE, cpu.storage()));
      impl->set_storage_offset(cpu.storage_offset());
      impl->set_sizes_and_strides(cpu.sizes(), cpu.strides());
      return card;
    }
    for (const auto& [card, cpu] : pairs) {
      if (result.storage().is_alias_of(cpu.storage())) return view_of(card, result);
    }
    return tensor_on(PLACE, result);
  }
};

void on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& arguments = op.schema().arguments();
  Call call{op.schema().name()};
  const bool index = INDEXES.count(call.name) > 0;
  const size_t first = stack->size() - arguments.size();
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto& value = (*stack)[first + i];
    const bool written = arguments[i].alias_info() != nullptr && arguments[i].alias_info()->isWrite();
    if (value.isTensor()) {
      value = call.taken(value.toTensor(), false, written);
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> list = value.toTensorVector();
      for (auto& tensor : list) tensor = call.taken(tensor, index, written);
      value = list;
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> list;
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor ? std::optional<at::Tensor>(call.taken(*tensor, index, written)) : std::nullopt);
      }
      value = list;
    } else if (value.isStorage() && value.toStorage().device_type() == CARD) {
      value = seen_from(c10::kCPU, value.toStorage());
    } else if (value.isDevice()) {
      value = c10::Device(c10::kCPU);
    }
  }
  call.refuse_mixing();
  counted[4] += WAITS.count(call.name);
  op.callBoxed(stack);
  for (size_t i = stack->size() - op.schema().returns().size(); i < stack->size(); ++i) {
    auto& value = (*stack)[i];
    if (value.isTensor()) {
      value = call.given_back(value.toTensor());
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> list = value.toTensorVector();
      for (auto& tensor : list) tensor = call.given_back(tensor);
      value = list;
    }
  }
}

// ---- memory and copies

at::Tensor empty(c10::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, CARD_KEY, c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, CARD_KEY, c10::dtype_or_default(dtype));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  if (on_card(from) != on_card(to)) {
    const int way = on_card(to) ? 0 : 1;
    counted[way] += 1;
    counted[2 + way] += static_cast<int64_t>(from.nbytes());
  }
  as_cpu(to).copy_(as_cpu(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

// torch has no convolution of its own for a device that it does not know, and does not ask the fallback for one.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed,
                       c10::IntArrayRef output_padding, int64_t groups) {
  Call call{"aten::convolution"};
  const auto taken = call.taken(x, false, false), kernel = call.taken(weight, false, false);
  const auto offset = bias ? std::optional<at::Tensor>(call.taken(*bias, false, false)) : std::nullopt;
  call.refuse_mixing();
  return call.given_back(
      at::convolution(taken, kernel, offset, stride, padding, dilation, transposed, output_padding, groups));
}

bool registered() {
  c10::SetAllocator(CARD, &memory);
  at::RegisterPrivateUse1HooksInterface(new Hooks());
  return true;
}

const bool ready = registered();

}  // namespace

namespace c10::impl {
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("_copy_from", &copy_from);
  library.impl("_copy_from_and_resize", &copy_from_and_resize);
  library.impl("convolution_overrideable", &convolution);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>());
}

extern "C" const int64_t* card_counts() { return counted; }
