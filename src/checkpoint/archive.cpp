// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/archive.h"

#include <zip.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace yoloq::checkpoint {

namespace {

constexpr std::string_view kPickle = "data.pkl";
constexpr std::uint64_t kMinBudget = std::uint64_t{256} << 20;
constexpr std::uint64_t kBudgetPerByte = 32;  // Deflate alone could make 1000 of 1.
constexpr std::size_t kMaxName = 80;          // Of a name from the file, in a message.
constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;

/// What torch.save wrote before 1.6: protocol 2, then a 10-byte magic number.
constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9", 9);

/// Says what a file is that is no zip archive.
[[noreturn]] void refuse(std::string_view bytes, std::string_view why) {
  if (bytes.empty()) fail(ErrorCode::corrupt_file, "the file is empty");
  if (bytes.starts_with(kLegacyMagic)) {
    fail(ErrorCode::unsupported,
         "the file has PyTorch's format of before 1.6; write it again with a newer PyTorch: "
         "torch.save(torch.load(path, weights_only=False), path)");
  }
  if (bytes.starts_with("PK")) {
    fail(ErrorCode::corrupt_file, "the zip archive is damaged or cut off ({}); copy it again", why);
  }
  if (bytes.starts_with("version https://git-lfs")) {
    fail(ErrorCode::unsupported, "the file is a pointer of Git LFS; run 'git lfs pull' first");
  }
  fail(ErrorCode::unsupported,
       "the file is not a PyTorch checkpoint: expected a zip archive as torch.save writes");
}

}  // namespace

struct Archive::Handle {
  zip_t* zip = nullptr;

  explicit Handle(const std::string& bytes) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source != nullptr) zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (zip == nullptr && source != nullptr) zip_source_free(source);
    const std::string why = zip == nullptr ? zip_error_strerror(&error) : "";
    zip_error_fini(&error);
    if (zip == nullptr) refuse(bytes, why);
  }
  ~Handle() { zip_discard(zip); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

Archive::Archive(std::string bytes) : bytes_(std::move(bytes)) {
  if (!std::string_view(bytes_).starts_with("PK")) refuse(bytes_, "");
  handle_ = std::make_unique<Handle>(bytes_);
  budget_ = std::max(kMinBudget, kBudgetPerByte * bytes_.size());

  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(handle_->zip, 0));
  for (std::uint64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(handle_->zip, i, ZIP_FL_ENC_RAW);
    if (name == nullptr) continue;
    if (!entries_.emplace(name, i).second) {
      fail(ErrorCode::corrupt_file, "the zip archive holds '{}' twice", name);
    }
  }
  const auto is_pickle = [](const auto& entry) {
    const std::string& name = entry.first;
    return name.ends_with(kPickle) && std::ranges::count(name, '/') <= 1 &&
           (name.size() == kPickle.size() || name[name.size() - kPickle.size() - 1] == '/');
  };
  const auto found = std::ranges::find_if(entries_, is_pickle);
  if (found == entries_.end()) {
    fail(ErrorCode::unsupported,
         "the zip archive holds no data.pkl, so torch.save did not write it");
  }
  folder_ = found->first.substr(0, found->first.size() - kPickle.size());
  if (contains("constants.pkl")) {
    fail(ErrorCode::unsupported,
         "the file is a TorchScript program; give the checkpoint that it was exported from");
  }
}

Archive::~Archive() = default;

bool Archive::contains(std::string_view name) const {
  return entries_.contains(folder_ + std::string(name));
}

std::string Archive::read(std::string_view name) {
  const auto found = entries_.find(folder_ + std::string(name));
  if (found == entries_.end()) {
    fail(ErrorCode::corrupt_file, "the archive holds no '{}{}'", folder_, name.substr(0, kMaxName));
  }
  zip_t* zip = handle_->zip;
  const auto damaged = [&](const char* why) {
    fail(ErrorCode::corrupt_file, "'{}' in the archive is damaged ({}); copy the file again",
         found->first, why);
  };
  zip_stat_t stat;
  if (zip_stat_index(zip, found->second, 0, &stat) != 0) damaged(zip_strerror(zip));
  if (stat.size > budget_) damaged("it is larger than an archive of this size may hold");
  budget_ -= stat.size;

  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(zip, found->second, 0), zip_fclose);
  if (!file) damaged(zip_strerror(zip));
  std::string result;
  while (result.size() < stat.size) {  // In pieces: the size is a claim until it was read.
    const std::size_t before = result.size();
    const std::uint64_t piece = std::min(kPiece, stat.size - before);
    result.resize(before + piece);
    const auto got = zip_fread(file.get(), result.data() + before, piece);
    if (got <= 0) damaged(got < 0 ? zip_file_strerror(file.get()) : "it ends too early");
    result.resize(before + static_cast<std::size_t>(got));
  }
  char beyond = 0;  // Reading to the end is what checks the CRC.
  const auto more = zip_fread(file.get(), &beyond, 1);
  if (more != 0) damaged(more < 0 ? zip_file_strerror(file.get()) : "it is longer than it says");
  return result;
}

}  // namespace yoloq::checkpoint
