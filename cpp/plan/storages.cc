#include "plan/storages.h"

namespace slipway {

Storages::Storage* Storages::find(ValueId id) noexcept {
  if (id == kNoValue || at(id) < 0) return nullptr;
  return &list_[static_cast<std::size_t>(at(id))];
}

void Storages::write(ValueId id, int64_t bytes, int now) {
  if (id == kNoValue) return;
  at(id) = static_cast<int>(list_.size());
  list_.push_back({Lifetime{bytes, now, now, 0}, -1});
}

void Storages::read(ValueId id, int now) noexcept {
  if (Storage* storage = find(id)) storage->life.last = now;
}

void Storages::keep(ValueId id) noexcept {
  constexpr int kForEver = 1 << 30;
  read(id, kForEver);
}

void Storages::forget_last(ValueId id) noexcept {
  at(id) = -1;
  list_.pop_back();
}

bool Storages::give_to_output(ValueId id, int k) noexcept {
  Storage* storage = find(id);
  if (storage == nullptr || storage->output >= 0) return false;
  storage->output = k;
  return true;
}

int64_t Storages::lay_out() {
  std::vector<Lifetime> lives;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if (list_[i].output >= 0) continue;
    lives.push_back(list_[i].life);
    owners.push_back(i);
  }
  const int64_t bytes = slipway::lay_out(lives);
  for (std::size_t i = 0; i < owners.size(); ++i) list_[owners[i]].life.offset = lives[i].offset;
  return bytes;
}

Place Storages::place_of(ValueId id, int segment) const noexcept {
  const int index = of_[static_cast<std::size_t>(id)];
  if (index < 0) return {};
  const Storage& storage = list_[static_cast<std::size_t>(index)];
  if (storage.output >= 0) return {Place::Kind::kOutput, storage.output, 0};
  return {Place::Kind::kArena, segment, storage.life.offset};
}

}  // namespace slipway
