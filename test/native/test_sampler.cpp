#include "llama/sampler.h"

#include <random>

#include "test.h"

namespace hotpath::test {

TEST(sampler, finds_the_first_largest_as_the_plain_loop_does) {
  std::mt19937 random(1);
  for (int size = 1; size < 200; ++size) {
    std::vector<float> values(static_cast<size_t>(size));
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 20) - 10);
    size_t plain = 0;
    for (size_t i = 1; i < values.size(); ++i) {
      if (values[i] > values[plain]) plain = i;
    }
    EXPECT_EQ(index_of_largest(values), plain);
  }
}

}  // namespace hotpath::test
