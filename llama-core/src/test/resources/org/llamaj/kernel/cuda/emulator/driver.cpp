// A driver API without a device: the part of libcuda (and of NVRTC) that the library calls, with
// kernels compiled for the processor. Stricter than a real one: work is put off until somebody waits
// for it, fresh memory holds NaN, what lies around allocations is watched, pointers, sizes and
// contexts are checked, and calls can be made to fail.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "primitives.h"
#include "fibers.h"

// ---- blocks of threads -------------------------------------------------------------------------------

namespace emulator {
Index3 thread_index, block_index, block_size, grid_size;

enum State { READY, AT_BLOCK_BARRIER, AT_WARP_BARRIER, DONE };
struct Thread {
  Fiber fiber;
  State state;
  int operation;
  int parity;
};
static std::vector<std::unique_ptr<Thread>> threads;
static Fiber scheduler;
static int running;
static int thread_count;
static std::function<void()> body;
static std::vector<unsigned char> shared;
static unsigned char exchanged[32][2][32][64];
static std::string failure;  // what a kernel did wrong
static bool backwards;       // the order of the threads, which must not matter

static bool is_device_memory(unsigned long long pointer);

unsigned char* shared_memory() { return shared.data() + 64; }

unsigned long long checked(unsigned long long pointer) {
  if (!is_device_memory(pointer)) {
    if (failure.empty()) failure = "a pointer in device memory leads elsewhere";
    static std::vector<unsigned char> harmless(64 << 20);
    return (unsigned long long)harmless.data();
  }
  return pointer;
}

static void yield() { switch_fiber(threads[running]->fiber, scheduler); }

void block_barrier() {
  threads[running]->state = AT_BLOCK_BARRIER;
  yield();
}

const unsigned char* exchange(const void* own, int bytes, int operation) {
  Thread& thread = *threads[running];
  thread.parity ^= 1;
  unsigned char(*slots)[64] = exchanged[running / WARP][thread.parity];
  std::memcpy(slots[running % WARP], own, bytes);
  thread.operation = operation;
  thread.state = AT_WARP_BARRIER;
  yield();
  return slots[0];
}

static void run_thread() {
  body();
  threads[running]->state = DONE;
  yield();
}

static void set_index(int thread) {
  thread_index = {thread % block_size.x, thread / block_size.x % block_size.y, thread / (block_size.x * block_size.y)};
}

static bool release_warps() {
  bool released = false;
  for (int warp = 0; warp * WARP < thread_count; warp++) {
    int first = warp * WARP, waiting = 0, operation = 0;
    bool same = true;
    for (int i = first; i < first + WARP && i < thread_count; i++) {
      if (threads[i]->state == AT_WARP_BARRIER) {
        if (waiting++ == 0) operation = threads[i]->operation;
        same = same && operation == threads[i]->operation;
      }
    }
    if (waiting == WARP && same) {
      for (int i = first; i < first + WARP; i++) threads[i]->state = READY;
      released = true;
    }
  }
  return released;
}

static bool release_block() {
  bool any = false;
  for (int i = 0; i < thread_count; i++) {
    if (threads[i]->state == AT_BLOCK_BARRIER) any = true;
    if (threads[i]->state == AT_WARP_BARRIER || threads[i]->state == READY) return false;
  }
  if (any) {
    for (int i = 0; i < thread_count; i++) {
      if (threads[i]->state == AT_BLOCK_BARRIER) threads[i]->state = READY;
    }
  }
  return any;
}

static void run_block(int shared_bytes) {
  shared.assign(shared_bytes + 128, 0xFF);
  while ((int)threads.size() < thread_count) threads.push_back(std::make_unique<Thread>());
  for (int i = 0; i < thread_count; i++) {
    threads[i]->state = READY;
    threads[i]->parity = 0;
    threads[i]->fiber.prepare(run_thread);
  }
  do {
    for (int i = 0; i < thread_count; i++) {
      int t = backwards ? thread_count - 1 - i : i;
      if (threads[t]->state == READY) {
        running = t;
        set_index(t);
        switch_fiber(scheduler, threads[t]->fiber);
      }
    }
  } while (release_warps() || release_block());
  for (int i = 0; i < thread_count; i++) {
    if (threads[i]->state != DONE && failure.empty()) failure = "threads wait for others that do not come";
  }
  for (int i = 0; i < 64; i++) {
    if ((shared[i] != 0xFF || shared[64 + shared_bytes + i] != 0xFF) && failure.empty()) {
      failure = "shared memory was written to where none was asked for";
    }
  }
}

static void run_grid(Index3 grid, Index3 block, int shared_bytes, std::function<void()> kernel) {
  grid_size = grid;
  block_size = block;
  thread_count = block.x * block.y * block.z;
  body = std::move(kernel);
  for (unsigned z = 0; z < grid.z && failure.empty(); z++) {
    for (unsigned y = 0; y < grid.y && failure.empty(); y++) {
      for (unsigned x = 0; x < grid.x && failure.empty(); x++) {
        block_index = {x, y, z};
        run_block(shared_bytes);
      }
    }
  }
  backwards = !backwards;
}
}  // namespace emulator

// ---- the kernels ---------------------------------------------------------------------------------------

struct Kernel {
  std::vector<int> sizes;
  std::vector<bool> pointers;
  std::function<void(void**)> call;
};

static std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

template <class... A, size_t... I>
static Kernel make_kernel(void (*function)(A...), std::index_sequence<I...>) {
  return Kernel{{(int)sizeof(A)...},
                {std::is_pointer<A>::value...},
                [function](void** parameters) { function(*(A*)parameters[I]...); }};
}

struct Registration {
  template <class... A>
  Registration(const char* name, void (*function)(A...)) {
    kernels()[name] = make_kernel(function, std::index_sequence_for<A...>{});
  }
};

#include "kernels.inc"

// ---- the driver ----------------------------------------------------------------------------------------

namespace {
typedef int Result;
typedef unsigned long long Pointer;
const Result OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100,
             INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, INVALID_HANDLE = 400,
             NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, CAPTURE_UNSUPPORTED = 900;

struct Allocation {
  size_t bytes;
  std::vector<unsigned char> memory;
};
struct Module {};
struct Function {
  const Kernel* kernel;
};
struct Operation {
  std::function<void()> run;
};
struct Graph {
  std::vector<Operation> operations;
};
struct Stream {
  std::deque<Operation> operations;
  bool capturing = false;
  Graph captured;
};

int devices = 1;
size_t memory_limit = 8ull << 30;
size_t memory_used = 0;
bool initialized = false;
int retained = 0;
int context_token;
thread_local void* current = nullptr;
Result sticky = OK;
std::string violation;
std::map<Pointer, Allocation> allocations;
std::map<void*, size_t> pinned;
std::set<Stream*> streams;
std::set<Module*> modules;
std::set<Function*> functions;
std::set<Graph*> graphs, executables;
long launches = 0, graph_launches = 0, downloads = 0, downloaded_bytes = 0;
std::map<std::string, std::pair<int, Result>> failing;  // calls until it fails, and how

void violate(const std::string& what) {
  if (violation.empty()) violation = what;
  sticky = ILLEGAL_ADDRESS;
}

Result enter(const char* name, bool needs_context = true) {
  auto it = failing.find(name);
  if (it != failing.end() && it->second.first-- == 0) {
    Result result = it->second.second;
    failing.erase(it);
    if (result >= 700 && result < 800) sticky = result;
    return result;
  }
  if (!initialized && std::string(name) != "cuInit") return NOT_INITIALIZED;
  if (sticky != OK) return sticky;
  if (needs_context && (current == nullptr || retained == 0)) return INVALID_CONTEXT;
  return OK;
}

Allocation* find(Pointer pointer, size_t bytes) {
  auto it = allocations.upper_bound(pointer);
  if (it == allocations.begin()) return nullptr;
  --it;
  return pointer + bytes <= it->first + it->second.bytes ? &it->second : nullptr;
}

void check_surroundings() {
  for (auto& entry : allocations) {
    Allocation& a = entry.second;
    unsigned char* start = (unsigned char*)entry.first;
    for (int i = 1; i <= 64; i++) {
      if (start[-i] != 0xFF || start[a.bytes + i - 1] != 0xFF) {
        violate("memory next to an allocation was written to");
        return;
      }
    }
  }
}

void run(Operation& operation) {
  if (sticky != OK) return;
  operation.run();
  if (!emulator::failure.empty()) {
    violate(emulator::failure);
    emulator::failure.clear();
  }
}

void drain(Stream* stream) {
  while (!stream->operations.empty()) {
    Operation operation = std::move(stream->operations.front());
    stream->operations.pop_front();
    run(operation);
  }
  check_surroundings();
}

Result enqueue(Stream* stream, Operation operation) {
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  if (stream->capturing) {
    stream->captured.operations.push_back(std::move(operation));
  } else {
    stream->operations.push_back(std::move(operation));
  }
  return OK;
}
}  // namespace

static bool emulator::is_device_memory(unsigned long long pointer) { return find(pointer, 1) != nullptr; }

#define API extern "C" __attribute__((visibility("default")))
#define ENTER(context)                        \
  do {                                        \
    Result entered = enter(__func__, context); \
    if (entered != OK) return entered;        \
  } while (0)

API Result cuInit(unsigned flags) {
  Result entered = enter("cuInit", false);
  if (entered != OK) return entered;
  if (flags != 0) return INVALID_VALUE;
  initialized = true;
  return devices == 0 ? NO_DEVICE : OK;
}
API Result cuDriverGetVersion(int* version) {
  *version = 13000;
  return OK;
}
API Result cuDeviceGetCount(int* count) {
  ENTER(false);
  *count = devices;
  return OK;
}
API Result cuDeviceGet(int* device, int ordinal) {
  ENTER(false);
  if (ordinal < 0 || ordinal >= devices) return INVALID_DEVICE;
  *device = 40 + ordinal;
  return OK;
}
API Result cuDeviceGetName(char* name, int length, int device) {
  ENTER(false);
  if (device < 40) return INVALID_DEVICE;
  std::strncpy(name, "Emulated GPU", length);
  return OK;
}
API Result cuDeviceGetAttribute(int* value, int attribute, int device) {
  ENTER(false);
  if (device < 40) return INVALID_DEVICE;
  switch (attribute) {
    case 13: *value = 1410000; return OK;  // kHz
    case 16: *value = 4; return OK;    // multiprocessors
    case 36: *value = 1215000; return OK;  // kHz of the memory
    case 37: *value = 5120; return OK;     // bits of a transfer
    case 75: *value = 8; return OK;    // compute capability
    case 76: *value = 0; return OK;
    default: return INVALID_VALUE;
  }
}
API Result cuDeviceTotalMem_v2(size_t* bytes, int device) {
  ENTER(false);
  if (device < 40) return INVALID_DEVICE;
  *bytes = memory_limit;
  return OK;
}
API Result cuDevicePrimaryCtxRetain(void** context, int device) {
  ENTER(false);
  if (device < 40) return INVALID_DEVICE;
  retained++;
  *context = &context_token;
  return OK;
}
API Result cuDevicePrimaryCtxRelease_v2(int device) {
  if (device < 40 || retained == 0) return INVALID_CONTEXT;
  if (--retained == 0) sticky = OK;
  return OK;
}
API Result cuCtxSetCurrent(void* context) {
  ENTER(false);
  if (context != nullptr && context != &context_token) return INVALID_CONTEXT;
  current = context;
  return OK;
}
API Result cuMemGetInfo_v2(size_t* free, size_t* total) {
  ENTER(true);
  *free = memory_limit - memory_used;
  *total = memory_limit;
  return OK;
}
API Result cuMemAlloc_v2(Pointer* pointer, size_t bytes) {
  ENTER(true);
  if (bytes == 0) return INVALID_VALUE;
  if (bytes > memory_limit - memory_used) return OUT_OF_MEMORY;
  Allocation allocation{bytes, std::vector<unsigned char>(bytes + 1024, 0xFF)};
  Pointer start = ((Pointer)allocation.memory.data() + 64 + 255) & ~(Pointer)255;
  memory_used += bytes;
  allocations.emplace(start, std::move(allocation));
  *pointer = start;
  return OK;
}
API Result cuMemFree_v2(Pointer pointer) {
  if (sticky == OK) {
    for (Stream* stream : streams) drain(stream);
  }
  auto it = allocations.find(pointer);
  if (it == allocations.end()) {
    violate("memory was freed that is not allocated");
    return INVALID_VALUE;
  }
  memory_used -= it->second.bytes;
  allocations.erase(it);
  return sticky;
}
API Result cuMemHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  ENTER(true);
  if (bytes == 0) return INVALID_VALUE;
  *pointer = std::calloc(1, bytes);
  pinned[*pointer] = bytes;
  return OK;
}
API Result cuMemFreeHost(void* pointer) {
  if (pinned.erase(pointer) == 0) {
    violate("pinned memory was freed that is not allocated");
    return INVALID_VALUE;
  }
  std::free(pointer);
  return sticky;
}
API Result cuMemcpyHtoDAsync_v2(Pointer target, const void* source, size_t bytes, Stream* stream) {
  ENTER(true);
  if (find(target, bytes) == nullptr) {
    violate("a copy to the device goes beyond the memory there");
    return INVALID_VALUE;
  }
  if (stream != nullptr && stream->capturing) return CAPTURE_UNSUPPORTED;
  auto it = pinned.upper_bound((void*)source);
  bool is_pinned = it != pinned.begin() && (char*)source + bytes <= (char*)std::prev(it)->first + std::prev(it)->second;
  if (is_pinned) {  // read when its turn comes
    return enqueue(stream, {[=] { std::memcpy((void*)target, source, bytes); }});
  }
  auto staged = std::make_shared<std::vector<unsigned char>>((unsigned char*)source, (unsigned char*)source + bytes);
  return enqueue(stream, {[=] { std::memcpy((void*)target, staged->data(), bytes); }});
}
API Result cuMemcpyDtoHAsync_v2(void* target, Pointer source, size_t bytes, Stream* stream) {
  ENTER(true);
  if (find(source, bytes) == nullptr) {
    violate("a copy from the device begins or ends outside the memory there");
    return INVALID_VALUE;
  }
  downloads++;
  downloaded_bytes += bytes;
  return enqueue(stream, {[=] { std::memcpy(target, (void*)source, bytes); }});
}
API Result cuMemcpyDtoDAsync_v2(Pointer target, Pointer source, size_t bytes, Stream* stream) {
  ENTER(true);
  if (find(source, bytes) == nullptr || find(target, bytes) == nullptr) {
    violate("a copy within the device begins or ends outside the memory there");
    return INVALID_VALUE;
  }
  return enqueue(stream, {[=] { std::memmove((void*)target, (void*)source, bytes); }});
}
API Result cuMemsetD8Async(Pointer target, unsigned char value, size_t bytes, Stream* stream) {
  ENTER(true);
  if (find(target, bytes) == nullptr) {
    violate("memory outside the device's is set");
    return INVALID_VALUE;
  }
  return enqueue(stream, {[=] { std::memset((void*)target, value, bytes); }});
}
API Result cuModuleLoadDataEx(Module** module, const void* image, unsigned count, int* options, void** values) {
  ENTER(true);
  const char* text = (const char*)image;  // machine code, or PTX whose first line tells the source
  if (std::strncmp(text, "emulated image", 14) != 0 && std::strncmp(text, "// source ", 10) != 0) {
    for (unsigned i = 0; i < count; i++) {
      if (options[i] == 5) std::strcpy((char*)values[i], "not an image of this device");
    }
    return INVALID_IMAGE;
  }
  *module = *modules.insert(new Module).first;
  return OK;
}
API Result cuModuleUnload(Module* module) {
  if (modules.erase(module) == 0) return INVALID_HANDLE;
  delete module;
  return OK;
}
API Result cuModuleGetFunction(Function** function, Module* module, const char* name) {
  ENTER(true);
  if (modules.count(module) == 0) return INVALID_HANDLE;
  auto it = kernels().find(name);
  if (it == kernels().end()) return NOT_FOUND;
  *function = *functions.insert(new Function{&it->second}).first;
  return OK;
}
API Result cuStreamCreate(Stream** stream, unsigned flags) {
  ENTER(true);
  *stream = *streams.insert(new Stream).first;
  return OK;
}
API Result cuStreamDestroy_v2(Stream* stream) {
  if (streams.erase(stream) == 0) return INVALID_HANDLE;
  delete stream;
  return OK;
}
API Result cuStreamSynchronize(Stream* stream) {
  ENTER(true);
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  if (stream->capturing) return CAPTURE_UNSUPPORTED;
  drain(stream);
  return sticky;
}
API Result cuStreamBeginCapture_v2(Stream* stream, int mode) {
  ENTER(true);
  if (streams.count(stream) == 0 || stream->capturing) return INVALID_HANDLE;
  stream->capturing = true;
  stream->captured = {};
  return OK;
}
API Result cuStreamEndCapture(Stream* stream, Graph** graph) {
  ENTER(true);
  if (streams.count(stream) == 0 || !stream->capturing) return INVALID_HANDLE;
  stream->capturing = false;
  *graph = *graphs.insert(new Graph(std::move(stream->captured))).first;
  return OK;
}
API Result cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long flags) {
  ENTER(true);
  if (graphs.count(graph) == 0) return INVALID_HANDLE;
  *executable = *executables.insert(new Graph(*graph)).first;
  return OK;
}
API Result cuGraphLaunch(Graph* executable, Stream* stream) {
  ENTER(true);
  if (executables.count(executable) == 0) return INVALID_HANDLE;
  graph_launches++;
  for (auto& operation : executable->operations) enqueue(stream, operation);
  return OK;
}
API Result cuGraphExecDestroy(Graph* executable) {
  if (executables.erase(executable) == 0) return INVALID_HANDLE;
  delete executable;
  return OK;
}
API Result cuGraphDestroy(Graph* graph) {
  if (graphs.erase(graph) == 0) return INVALID_HANDLE;
  delete graph;
  return OK;
}
API Result cuLaunchKernel(Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                          unsigned bz, unsigned shared_bytes, Stream* stream, void** parameters, void** extra) {
  ENTER(true);
  if (functions.count(function) == 0) return INVALID_HANDLE;
  bool sane = gx > 0 && gy > 0 && gz > 0 && gy < 65536 && gz < 65536 && bx > 0 && by > 0 && bz > 0 &&
              bx * by * bz <= 1024 && shared_bytes <= 49152 && extra == nullptr;
  if (!sane) return INVALID_VALUE;
  const Kernel* kernel = function->kernel;
  auto values = std::make_shared<std::vector<unsigned long long>>(kernel->sizes.size());
  for (size_t i = 0; i < kernel->sizes.size(); i++) std::memcpy(&(*values)[i], parameters[i], kernel->sizes[i]);
  launches++;
  return enqueue(stream, {[=] {
                   std::vector<void*> slots;
                   for (size_t i = 0; i < values->size(); i++) {
                     Pointer value = (*values)[i];
                     if (kernel->pointers[i] && value != 0 && find(value, 1) == nullptr) {
                       violate("a kernel was given a pointer that is none of the device");
                       return;
                     }
                     slots.push_back(&(*values)[i]);
                   }
                   emulator::run_grid({gx, gy, gz}, {bx, by, bz}, shared_bytes, [&] { kernel->call(slots.data()); });
                 }});
}
API Result cuGetErrorName(Result error, const char** name) {
  switch (error) {
    case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return OK;
    case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; return OK;
    case INVALID_IMAGE: *name = "CUDA_ERROR_INVALID_IMAGE"; return OK;
    case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return OK;
    case 719: *name = "CUDA_ERROR_LAUNCH_FAILED"; return OK;
    default: *name = nullptr; return INVALID_VALUE;
  }
}
API Result cuGetErrorString(Result error, const char** text) {
  if (error == OUT_OF_MEMORY) *text = "out of memory";
  else if (error == NO_DEVICE) *text = "no CUDA-capable device is detected";
  else if (error == 719) *text = "unspecified launch failure";
  else if (error == ILLEGAL_ADDRESS) *text = violation.empty() ? "an illegal memory access was encountered" : violation.c_str();
  else { *text = nullptr; return INVALID_VALUE; }
  return OK;
}

// ---- the compiler --------------------------------------------------------------------------------------

struct Program {
  std::string source, log;
};
API int nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 0;
  return 0;
}
API const char* nvrtcGetErrorString(int result) { return result == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_SUCCESS"; }
API int nvrtcCreateProgram(Program** program, const char* source, const char*, int headers, const char**, const char**) {
  *program = new Program{source, ""};
  return headers == 0 ? 0 : 3;
}
API int nvrtcCompileProgram(Program* program, int count, const char** options) {
  bool architecture = false;
  for (int i = 0; i < count; i++) architecture |= std::string(options[i]) == "--gpu-architecture=sm_80";
  auto it = failing.find("nvrtcCompileProgram");
  if (it != failing.end() && it->second.first-- == 0) {
    int result = it->second.second;
    failing.erase(it);
    program->log = "kernels.cu(7): error: identifier \"wrap\" is undefined";
    return result;
  }
  return architecture ? 0 : 5;
}
API int nvrtcGetCUBINSize(Program*, size_t* bytes) {
  *bytes = 15;
  return 0;
}
API int nvrtcGetCUBIN(Program*, char* image) {
  std::strcpy(image, "emulated image");
  return 0;
}
API int nvrtcGetProgramLogSize(Program* program, size_t* bytes) {
  *bytes = program->log.size() + 1;
  return 0;
}
API int nvrtcGetProgramLog(Program* program, char* log) {
  std::strcpy(log, program->log.c_str());
  return 0;
}
API int nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return 0;
}

// ---- matrix products -----------------------------------------------------------------------------------

// Counted by columns, as the library does.
struct Layout {
  int type;
  unsigned long long rows, columns;
  long long stride;
};
struct Product {
  int transpose_a = 0;
};
static long products_open = 0, products = 0;

API size_t cublasLtGetVersion() { return 130100; }
API const char* cublasLtGetStatusName(int status) {
  return status == 15 ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUBLAS_STATUS_EXECUTION_FAILED";
}
static int cublas(const char* name) {
  auto it = failing.find(name);
  if (it != failing.end() && it->second.first-- == 0) {
    int result = it->second.second;
    failing.erase(it);
    return result;
  }
  return 0;
}
API int cublasLtCreate(void** handle) {
  int status = cublas("cublasLtCreate");
  if (status != 0) return status;
  if (current == nullptr) return 1;
  *handle = new int;
  products_open++;
  return 0;
}
API int cublasLtDestroy(void* handle) {
  delete (int*)handle;
  products_open--;
  return 0;
}
API int cublasLtMatmulDescCreate(Product** product, int compute, int scale) {
  if (compute != 68 || scale != 0) return 15;
  *product = new Product;
  products_open++;
  return 0;
}
API int cublasLtMatmulDescSetAttribute(Product* product, int attribute, const int* value, size_t bytes) {
  if (attribute != 3 || bytes != 4) return 7;
  product->transpose_a = *value;
  return 0;
}
API int cublasLtMatmulDescDestroy(Product* product) {
  delete product;
  products_open--;
  return 0;
}
API int cublasLtMatrixLayoutCreate(Layout** layout, int type, unsigned long long rows, unsigned long long columns,
                                   long long stride) {
  *layout = new Layout{type, rows, columns, stride};
  products_open++;
  return 0;
}
API int cublasLtMatrixLayoutDestroy(Layout* layout) {
  delete layout;
  products_open--;
  return 0;
}
API int cublasLtMatmulPreferenceCreate(unsigned long long** preference) {
  *preference = new unsigned long long(0);
  products_open++;
  return 0;
}
API int cublasLtMatmulPreferenceSetAttribute(unsigned long long* preference, int attribute, const void* value, size_t bytes) {
  if (attribute != 1 || bytes != 8) return 7;
  std::memcpy(preference, value, 8);
  return 0;
}
API int cublasLtMatmulPreferenceDestroy(unsigned long long* preference) {
  delete preference;
  products_open--;
  return 0;
}
struct Heuristic {
  unsigned long long algorithm[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
API int cublasLtMatmulAlgoGetHeuristic(void*, Product*, Layout*, Layout*, Layout*, Layout*, unsigned long long* preference,
                                       int wanted, Heuristic* results, int* found) {
  int status = cublas("cublasLtMatmulAlgoGetHeuristic");
  if (status != 0) return status;
  if (wanted != 1) return 7;
  results[0] = {};
  results[0].algorithm[0] = 42;
  results[0].workspace = *preference / 2;
  *found = 1;
  return 0;
}
API int cublasLtMatmul(void*, Product* product, const float* alpha, Pointer a, Layout* la, Pointer b, Layout* lb,
                       const float* beta, Pointer c, Layout* lc, Pointer d, Layout* ld, const Heuristic* algorithm,
                       Pointer workspace, size_t workspace_bytes, Stream* stream) {
  int status = cublas("cublasLtMatmul");
  if (status != 0) return status;
  bool fits = product->transpose_a == 1 && la->type == 14 && lb->type == 14 && lc->type == 0 && ld->type == 0 &&
              la->rows == lb->rows && la->columns == ld->rows && lb->columns == ld->columns && c == d &&
              *alpha == 1 && *beta == 0 && algorithm->algorithm[0] == 42 && workspace_bytes == algorithm->workspace &&
              (a | b | d | workspace) % 256 == 0 && ld->stride >= (long long)ld->rows && la->stride >= (long long)la->rows;
  if (!fits) return 7;
  Layout A = *la, B = *lb, D = *ld;
  bool inside = find(a, 2 * A.stride * A.columns) && find(b, 2 * B.stride * B.columns) &&
                find(d, 4 * (D.stride * (D.columns - 1) + D.rows)) && find(workspace, workspace_bytes);
  if (!inside) {
    violate("a product begins or ends outside the memory of the device");
    return 14;
  }
  products++;
  enqueue(stream, {[=] {
            const unsigned short* w = (const unsigned short*)a;
            const unsigned short* x = (const unsigned short*)b;
            for (unsigned long long column = 0; column < D.columns; column++) {
              for (unsigned long long row = 0; row < D.rows; row++) {
                float sum = 0;
                for (unsigned long long k = 0; k < A.rows; k++) {
                  sum += bits_to_float(w[row * A.stride + k] << 16) * bits_to_float(x[column * B.stride + k] << 16);
                }
                ((float*)d)[column * D.stride + row] = sum;
              }
            }
          }});
  return 0;
}

// ---- for the tests -------------------------------------------------------------------------------------

API void emulator_reset(int device_count, size_t memory) {
  devices = device_count;
  memory_limit = memory;
  initialized = false;
  sticky = OK;
  violation.clear();
  failing.clear();
  launches = graph_launches = downloads = downloaded_bytes = 0;
}
API void emulator_limit_memory(size_t memory) { memory_limit = memory; }
API void emulator_fail(const char* function, int after, int result) { failing[function] = {after, result}; }
API const char* emulator_violation() { return violation.c_str(); }
API size_t emulator_memory_used() { return memory_used; }
API long emulator_products() { return products; }
API long emulator_launches() { return launches; }
API long emulator_graph_launches() { return graph_launches; }
API long emulator_downloaded_bytes() { return downloaded_bytes; }
API long emulator_downloads() { return downloads; }
// Allocations, pinned memory, streams, modules, graphs and contexts that have not been given back.
API long emulator_open() {
  return allocations.size() + pinned.size() + streams.size() + modules.size() + graphs.size() + executables.size() +
         retained + products_open;
}
