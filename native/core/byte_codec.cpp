#include "core/byte_codec.h"


namespace hotpath {

namespace {

constexpr size_t kMagicBytes = 8;
constexpr size_t kSealBytes = kMagicBytes + 8 + 8;  // magic, version, hash

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

uint64_t hash_bytes(std::string_view bytes, uint64_t hash) {
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return hash;
}

void ByteWriter::u64(uint64_t value) {
  for (int i = 0; i < 8; ++i, value >>= 8) bytes_.push_back(static_cast<char>(value & 0xff));
}


void ByteWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ByteWriter::step(uint64_t before, uint64_t value) {
  const uint64_t difference = value - before;
  varint(difference << 1 ^ (difference >> 63 ? ~uint64_t{0} : 0));
}

void ByteWriter::text(std::string_view text) {
  varint(text.size());
  bytes_ += text;
}

std::string_view ByteReader::take(size_t n) {
  if (failed_ || n > bytes_.size()) {
    failed_ = true;
    bytes_ = {};
    return {};
  }
  const std::string_view taken = bytes_.substr(0, n);
  bytes_.remove_prefix(n);
  return taken;
}

uint64_t ByteReader::u64() { return little_endian(take(8)); }


uint64_t ByteReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::string_view byte = take(1);
    if (failed_) return 0;
    value |= static_cast<uint64_t>(byte[0] & 0x7f) << shift;
    if ((byte[0] & 0x80) == 0) return value;
  }
  take(bytes_.size() + 1);
  return 0;
}

uint64_t ByteReader::step(uint64_t before) {
  const uint64_t coded = varint();
  return before + (coded >> 1 ^ (coded & 1 ? ~uint64_t{0} : 0));
}

std::string ByteReader::text(size_t max_bytes) { return std::string(take(count(max_bytes))); }

uint64_t ByteReader::count(uint64_t most) {
  const uint64_t value = varint();
  if (value <= most) return value;
  take(bytes_.size() + 1);
  return 0;
}

std::string seal(std::string_view magic, uint32_t version, std::string_view payload) {
  CHECK(magic.size() == kMagicBytes);
  ByteWriter head;
  head.u64(version);
  std::string file = std::string(magic) + head.bytes();
  file += payload;
  ByteWriter tail;
  tail.u64(hash_bytes(file));
  return file + tail.bytes();
}

Result<std::string_view> unseal(std::string_view bytes, std::string_view magic, uint32_t version, const std::string& path) {
  const auto refuse = [&](std::string why) { return Error{ErrorCode::file_unreadable, path + ": " + why, {{"path", path}}}; };
  if (bytes.size() < kSealBytes || bytes.substr(0, kMagicBytes) != magic) {
    return refuse("does not begin with " + std::string(magic));
  }
  const uint64_t found = little_endian(bytes.substr(kMagicBytes, 8));
  if (found != version) return refuse(format_text("is of version %llu, not %u", (unsigned long long)found, version));
  const std::string_view sealed = bytes.substr(0, bytes.size() - 8);
  if (hash_bytes(sealed) != little_endian(bytes.substr(sealed.size()))) return refuse("is damaged or cut off");
  return sealed.substr(kMagicBytes + 8);
}

}  // namespace hotpath
