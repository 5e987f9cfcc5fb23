#pragma once

#include <ucontext.h>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace strand::test {

/// Stacks that take turns. `ucontext` makes them and `_setjmp` switches, which spares two system calls each time.
class Fibers {
 public:
  static constexpr std::size_t kMost = 4;

  /// @param body called with the fiber's number, again and again; it never returns without having switched or left
  explicit Fibers(std::function<void(std::size_t)> body) : body_(std::move(body)) {}

  /// Runs a fiber, and whom that switches to. @return when one calls `leave`
  void enter(std::size_t fiber) {
    if (_setjmp(outside_) == 0) resume(fiber);
  }
  void leave(std::size_t from) {
    if (_setjmp(fibers_[from].place) == 0) _longjmp(outside_, 1);
  }
  void switchTo(std::size_t from, std::size_t to) {
    if (_setjmp(fibers_[from].place) == 0) resume(to);
  }
  /// Forgets where they were.
  void abandon() {
    for (Fiber& fiber : fibers_) fiber.begun = false;
  }

 private:
  static constexpr std::size_t kStackBytes = std::size_t{256} << 10U;

  struct Fiber {
    jmp_buf place{};
    bool begun = false;
    std::unique_ptr<std::byte[]> stack;
  };

  void resume(std::size_t to) {
    Fiber& fiber = fibers_[to];
    if (fiber.begun) _longjmp(fiber.place, 1);
    if (!fiber.stack) fiber.stack = std::make_unique<std::byte[]>(kStackBytes);
    fiber.begun = true;
    entering = this;
    current_ = to;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack.get();
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    makecontext(&context, &Fibers::begin, 0);
    setcontext(&context);
  }
  static void begin() {
    Fibers& fibers = *entering;
    const std::size_t self = fibers.current_;
    for (;;) fibers.body_(self);
  }

  static inline Fibers* entering = nullptr;

  std::function<void(std::size_t)> body_;
  std::array<Fiber, kMost> fibers_;
  jmp_buf outside_{};
  std::size_t current_ = 0;
};

}  // namespace strand::test
