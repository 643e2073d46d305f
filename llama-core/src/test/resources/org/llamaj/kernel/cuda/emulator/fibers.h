// Threads of a block as fibers of one system thread: each runs until it waits for others.
#pragma once
#include <cstdlib>
#include <vector>

#if defined(__x86_64__)
extern "C" void emulator_switch(void** save, void* load);
__asm__(
    ".text\n.globl emulator_switch\n.hidden emulator_switch\nemulator_switch:\n"
    "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  mov %rsp, (%rdi)\n  mov %rsi, %rsp\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n  ret\n");

struct Fiber {
  void* stack_pointer = nullptr;
  std::vector<unsigned char> stack;
  void prepare(void (*entry)()) {
    if (stack.empty()) stack.resize(32768);
    auto top = ((uintptr_t)(stack.data() + stack.size()) & ~(uintptr_t)15) - 8;
    void** frame = (void**)top;
    *--frame = (void*)entry;  // where the first switch returns to
    for (int i = 0; i < 6; i++) *--frame = nullptr;
    stack_pointer = frame;
  }
};
static inline void switch_fiber(Fiber& from, Fiber& to) { emulator_switch(&from.stack_pointer, to.stack_pointer); }
#else
#include <ucontext.h>
struct Fiber {
  ucontext_t context;
  std::vector<unsigned char> stack;
  void prepare(void (*entry)()) {
    if (stack.empty()) stack.resize(65536);
    getcontext(&context);
    context.uc_stack.ss_sp = stack.data();
    context.uc_stack.ss_size = stack.size();
    context.uc_link = nullptr;
    makecontext(&context, entry, 0);
  }
};
static inline void switch_fiber(Fiber& from, Fiber& to) { swapcontext(&from.context, &to.context); }
#endif
