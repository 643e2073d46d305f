// Times llama.cpp's image encoder on one tile of noise: clip FILE THREADS ROUNDS [FLASH].
// FLASH as in llama.cpp: -1 chooses, 0 is without flash attention, 1 with it.
#include "clip.h"
#include "clip-impl.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char ** argv) {
    if (argc < 4) {
        fprintf(stderr, "expected FILE THREADS ROUNDS [FLASH]\n");
        return 2;
    }
    const int side = 336, tokens = 144, text_width = 5120;
    clip_context_params params{};
    params.use_gpu = false;
    params.flash_attn_type = (clip_flash_attn_type) (argc > 4 ? atoi(argv[4]) : -1);
    params.image_min_tokens = -1;
    params.image_max_tokens = -1;
    clip_init_result clip = clip_init(argv[1], params);
    if (!clip.ctx_v) {
        return 1;
    }
    std::vector<float> pixels(3 * side * side);
    for (float & sample : pixels) {
        sample = rand() / (float) RAND_MAX * 2 - 1;
    }
    clip_image_f32 image;
    image.set_size({side, side}, false, false);
    image.cpy_buf(pixels);
    std::vector<float> rows((size_t) tokens * text_width);
    for (int round = 0; round < atoi(argv[3]); round++) {
        auto start = std::chrono::steady_clock::now();
        if (!clip_image_encode(clip.ctx_v, atoi(argv[2]), &image, rows)) {
            return 1;
        }
        double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        printf("%.3f s (first value %f)\n", seconds, rows[0]);
        fflush(stdout);
    }
    clip_free(clip.ctx_v);
}
