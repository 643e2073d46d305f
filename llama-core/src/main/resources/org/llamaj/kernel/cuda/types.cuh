// What several kernels share.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// Where the weights of an expert are.
struct Planes {
  u64 main;
  u64 side;
};

#define EXPERT_TILE 64  // choices

// A tile of choices of the same expert: where they begin in the order, and how many they are.
struct ExpertTile {
  int expert;
  int first;
  int rows;
  int unused;
};
