// PNG and JPEG files: as many pixels as the image says, and planes of the size that is asked for.
#include "infer/image.h"

#include "fuzz.h"

namespace slipway::fuzz {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::vector<std::string> seeds() {
  return {
      from_hex("89504e470d0a1a0a0000000d4948445200000003000000020800000000b81f39c60000000b49444154789c63608000000008"
               "0001b75873950000000049454e44ae426082"),
      from_hex("89504e470d0a1a0a0000000d49484452000000030000000208060000009d74661a0000000b49444154789c6360c00500001a"
               "0001bc3ce0410000000049454e44ae426082"),
      from_hex("89504e470d0a1a0a0000000d49484452000000030000000204030000006f5a7b290000001e504c5445000102030405060708"
               "090a0b0c0d0e0f101112131415161718191a1b1c1d724a0e870000000174524e530040e6d8660000000e49444154789c6360"
               "60606060000000060001728299ea0000000049454e44ae426082"),
      from_hex("89504e470d0a1a0a0000000d4948445200000003000000021000000000e88fe5850000000b49444154789c6360400600000e"
               "0001a99173b10000000049454e44ae426082"),
      from_hex("ffd8ffe000104a46494600010100000100010000ffdb004300281c1e231e19282321232d2b28303c64413c37373c7b585d49"
               "64918099968f808c8aa0b4e6c3a0aadaad8a8cc8ffcbdaeef5ffffff9bc1fffffffaffe6fdfff8ffc0000b08000200030101"
               "1100ffc40014000100000000000000000000000000000005ffc40014100100000000000000000000000000000000ffda0008"
               "010100003f0015ffd9"),
      from_hex("ffd8ffe000104a46494600010100000100010000ffdb004300281c1e231e19282321232d2b28303c64413c37373c7b585d49"
               "64918099968f808c8aa0b4e6c3a0aadaad8a8cc8ffcbdaeef5ffffff9bc1fffffffaffe6fdfff8ffdb0043012b2d2d3c353c"
               "76414176f8a58ca5f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8"
               "f8f8f8f8f8f8f8f8ffc20011080002000303012200021101031101ffc4001500010100000000000000000000000000000004"
               "ffc40014010100000000000000000000000000000000ffda000c03010002100310000001881fffc400141001000000000000"
               "00000000000000000000ffda00080101000105027fffc40014110100000000000000000000000000000000ffda0008010301"
               "013f017fffc40014110100000000000000000000000000000000ffda0008010201013f017fffc40014100100000000000000"
               "000000000000000000ffda0008010100063f027fffc40014100100000000000000000000000000000000ffda000801010001"
               "3f217fffda000c0301000200030000001003ffc40014110100000000000000000000000000000000ffda0008010301013f10"
               "7fffc40014110100000000000000000000000000000000ffda0008010201013f107fffc40014100100000000000000000000"
               "000000000000ffda0008010100013f107fffd9")};
}

std::vector<std::string> words() {
  return {"IHDR",           "IDAT",           "PLTE",           "tRNS",           "IEND",           "gAMA",
          "acTL",           from_hex("ffd8"), from_hex("ffc0"), from_hex("ffc2"), from_hex("ffc4"), from_hex("ffda"),
          from_hex("ffdb"), from_hex("ffd9"), from_hex("ffee"), "Adobe"};
}

void read(std::string_view bytes) {
  const infer::Image image = infer::decode_image(bytes);
  const auto pixels = static_cast<std::size_t>(image.height * image.width * image.channels);
  if (image.pixels.size() != pixels || pixels == 0) report("an image has not the pixels that it says");
  for (const int64_t channels : {1, 3}) {
    infer::ImageSpec spec;
    spec.channels = channels;
    if (infer::planes_of(spec, image).size() != static_cast<std::size_t>(channels)) report("a channel has no plane");
  }
  ++tally.ran;
}

}  // namespace

const Target kTarget{"image", Form::kBytes, 4096, &seeds, &words, nullptr, true};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
