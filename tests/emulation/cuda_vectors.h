// CUDA's vector types, with its alignments. CUDA C++ Programming Guide, table "Alignment Requirements".
#pragma once

#define SLIPWAY_VECTOR_2(T, name, bytes)        \
  struct __attribute__((aligned(bytes))) name { \
    T x, y;                                     \
  };                                            \
  constexpr name make_##name(T x, T y) { return {x, y}; }
#define SLIPWAY_VECTOR_3(T, name) \
  struct name {                   \
    T x, y, z;                    \
  };                              \
  constexpr name make_##name(T x, T y, T z) { return {x, y, z}; }
#define SLIPWAY_VECTOR_4(T, name, bytes)        \
  struct __attribute__((aligned(bytes))) name { \
    T x, y, z, w;                               \
  };                                            \
  constexpr name make_##name(T x, T y, T z, T w) { return {x, y, z, w}; }

SLIPWAY_VECTOR_2(signed char, char2, 2)
SLIPWAY_VECTOR_4(signed char, char4, 4)
SLIPWAY_VECTOR_2(unsigned char, uchar2, 2)
SLIPWAY_VECTOR_4(unsigned char, uchar4, 4)
SLIPWAY_VECTOR_2(short, short2, 4)
SLIPWAY_VECTOR_4(short, short4, 8)
SLIPWAY_VECTOR_2(int, int2, 8)
SLIPWAY_VECTOR_3(int, int3)
SLIPWAY_VECTOR_4(int, int4, 16)
SLIPWAY_VECTOR_2(unsigned, uint2, 8)
SLIPWAY_VECTOR_3(unsigned, uint3)
SLIPWAY_VECTOR_4(unsigned, uint4, 16)
SLIPWAY_VECTOR_2(long long, longlong2, 16)
SLIPWAY_VECTOR_2(unsigned long long, ulonglong2, 16)
SLIPWAY_VECTOR_2(float, float2, 8)
SLIPWAY_VECTOR_3(float, float3)
SLIPWAY_VECTOR_4(float, float4, 16)
SLIPWAY_VECTOR_2(double, double2, 16)

#undef SLIPWAY_VECTOR_2
#undef SLIPWAY_VECTOR_3
#undef SLIPWAY_VECTOR_4

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
