// Which experts each token goes to, and what comes of it. A choice is a token and one of its experts;
// those of a token are neighbours.

// The `used` experts of the highest scores (of equal ones the first), and their weights: a warp for
// each token. The weights are a softmax over the chosen scores, or the sigmoid of each. If a score is
// no finite number, no weight is one, so that the result tells. Shared memory: chosen[used],
// value[used].
KERNEL choose_experts(
    const float* scores, int experts, int used, int sigmoid, int* choices, float* weights) {
  SHARED_MEMORY(shared);
  int* chosen = (int*)shared;
  float* value = (float*)(chosen + used);
  const float* score = scores + (u64)blockIdx.x * experts;
  int lane = threadIdx.x;
  float strange = 0;  // stays 0 if all scores are finite
  for (int e = lane; e < experts; e += WARP) strange += score[e] - score[e];
#pragma unroll
  for (int mask = WARP / 2; mask > 0; mask /= 2) strange += shuffle_xor(strange, mask);
  for (int rank = 0; rank < used; rank++) {
    float best = bits_to_float(0xFF800000u);
    float index = (float)experts;  // a float, to be exchanged as the scores are
    for (int e = lane; e < experts; e += WARP) {
      bool free = true;
      for (int i = 0; i < rank; i++) free = free && chosen[i] != e;
      if (free && score[e] > best) {
        best = score[e];
        index = (float)e;
      }
    }
#pragma unroll
    for (int mask = WARP / 2; mask > 0; mask /= 2) {
      float other = shuffle_xor(best, mask);
      float other_index = shuffle_xor(index, mask);
      if (other > best || (other == best && other_index < index)) {
        best = other;
        index = other_index;
      }
    }
    if (lane == 0) {
      chosen[rank] = index < experts ? (int)index : rank;
      value[rank] = best;
    }
    sync_block();
  }
  float sum = 0;
  for (int i = 0; i < used; i++) sum += expf(value[i] - value[0]);
  for (int i = lane; i < used; i += WARP) {
    float weight = sigmoid ? 1.0f / (1.0f + expf(-value[i])) : expf(value[i] - value[0]) / sum;
    choices[blockIdx.x * used + i] = chosen[i];
    weights[blockIdx.x * used + i] = weight + strange;
  }
}

// Sorts choices by expert, those of an expert in their order, and cuts them into tiles; tiles that
// are not needed are empty. One block. Shared memory: first[experts + 1], first_tile[experts + 1].
KERNEL group_choices(
    const int* choices, int count, int experts, int* order, ExpertTile* tiles, int tile_count) {
  SHARED_MEMORY(shared);
  int* first = (int*)shared;
  int* first_tile = first + experts + 1;
  for (int e = threadIdx.x; e < experts; e += blockDim.x) {
    int own = 0;
    for (int i = 0; i < count; i++) own += choices[i] == e;
    first[e + 1] = own;
  }
  sync_block();
  if (threadIdx.x == 0) {
    first[0] = 0;
    first_tile[0] = 0;
    for (int e = 0; e < experts; e++) {
      first_tile[e + 1] = first_tile[e] + (first[e + 1] + EXPERT_TILE - 1) / EXPERT_TILE;
      first[e + 1] += first[e];
    }
  }
  sync_block();
  for (int e = threadIdx.x; e < experts; e += blockDim.x) {
    int at = first[e];
    for (int i = 0; i < count; i++) {
      if (choices[i] == e) order[at++] = i;
    }
    for (int t = first_tile[e]; t < first_tile[e + 1]; t++) {
      int from = first[e] + (t - first_tile[e]) * EXPERT_TILE;
      tiles[t].expert = e;
      tiles[t].first = from;
      tiles[t].rows = min(EXPERT_TILE, first[e + 1] - from);
    }
  }
  for (int t = first_tile[experts] + threadIdx.x; t < tile_count; t += blockDim.x) tiles[t].rows = 0;
}

// gate = silu(w gate) * (w up): the hidden values of w x. The weights w may be null, for 1.
KERNEL swiglu_of_choices(float* gate, const float* up, const float* weights, int columns, u64 count) {
  u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) {
    float w = weights ? weights[i / columns] : 1.0f;
    float g = w * gate[i];
    gate[i] = g / (1.0f + expf(-g)) * (w * up[i]);
  }
}

// The sum over the choices of each token; the weights may be null, for 1.
KERNEL sum_of_choices(
    const float* x, const float* weights, float* y, int used, int columns, u64 count) {
  u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) {
    u64 token = i / columns;
    float sum = 0;
    for (int rank = 0; rank < used; rank++) {
      u64 choice = token * used + rank;
      float value = x[choice * columns + i % columns];
      sum += weights ? weights[choice] * value : value;
    }
    y[i] = sum;
  }
}
