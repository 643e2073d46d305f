// Row-wise operations of the training, forward and backward. Matrices are row-major float32.
#include <math.h>
#include <string.h>

// erf by Abramowitz and Stegun 7.1.26: error below 1.5e-7
static inline float erf_of(float x) {
  float a = fabsf(x), t = 1 / (1 + 0.3275911f * a);
  float y = 1 - ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * expf(-a * a);
  return x < 0 ? -y : y;
}

void gelu(long n, const float *x, float *y) {
  for (long i = 0; i < n; i++) y[i] = 0.5f * x[i] * (1 + erf_of(x[i] * 0.70710678f));
}

void gelu_back(long n, const float *x, const float *gy, float *gx) {
  for (long i = 0; i < n; i++)
    gx[i] = gy[i] * (0.5f * (1 + erf_of(x[i] * 0.70710678f)) + x[i] * 0.39894228f * expf(-0.5f * x[i] * x[i]));
}

void swiglu(long n, const float *g, const float *u, float *y) {
  for (long i = 0; i < n; i++) y[i] = g[i] / (1 + expf(-g[i])) * u[i];
}

void swiglu_back(long n, const float *g, const float *u, const float *gy, float *gg, float *gu) {
  for (long i = 0; i < n; i++) {
    float s = 1 / (1 + expf(-g[i]));
    gu[i] = gy[i] * g[i] * s;
    gg[i] = gy[i] * u[i] * s * (1 + g[i] * (1 - s));
  }
}

// y = (x - mean) * r * w + b; mean is 0 and b null for RMSNorm. r is kept per row.
void norm(long rows, long n, int centred, const float *x, const float *w, const float *b, float *y, float *mean, float *r) {
  for (long i = 0; i < rows; i++, x += n, y += n) {
    float m = 0, s = 0;
    if (centred) { for (long j = 0; j < n; j++) m += x[j]; m /= n; }
    for (long j = 0; j < n; j++) s += (x[j] - m) * (x[j] - m);
    float q = 1 / sqrtf(s / n + 1e-5f);
    mean[i] = m; r[i] = q;
    if (b) for (long j = 0; j < n; j++) y[j] = (x[j] - m) * q * w[j] + b[j];
    else for (long j = 0; j < n; j++) y[j] = (x[j] - m) * q * w[j];
  }
}

void norm_back(long rows, long n, int centred, const float *x, const float *w, const float *gy, const float *mean, const float *r, float *gx, float *gw, float *gb) {
  for (long i = 0; i < rows; i++, x += n, gy += n, gx += n) {
    float m = mean[i], q = r[i], a = 0, c = 0;
    for (long j = 0; j < n; j++) {
      float h = (x[j] - m) * q, g = gy[j] * w[j];
      a += g; c += g * h;
      gw[j] += gy[j] * h;
    }
    if (gb) for (long j = 0; j < n; j++) gb[j] += gy[j];
    a = centred ? a / n : 0; c /= n;
    for (long j = 0; j < n; j++) gx[j] = q * (gy[j] * w[j] - a - (x[j] - m) * q * c);
  }
}

// softmax over [matrices, t, t], in place, row i over columns 0..i if causal
void softmax(long matrices, long t, int causal, float scale, float *x) {
  for (long m = 0; m < matrices; m++)
    for (long i = 0; i < t; i++, x += t) {
      long n = causal ? i + 1 : t;
      float top = -1e30f, s = 0;
      for (long j = 0; j < n; j++) top = fmaxf(top, x[j]);
      for (long j = 0; j < n; j++) { x[j] = expf((x[j] - top) * scale); s += x[j]; }
      s = 1 / s;
      for (long j = 0; j < n; j++) x[j] *= s;
      for (long j = n; j < t; j++) x[j] = 0;
    }
}

void softmax_back(long rows, long t, float scale, const float *p, float *g) {
  for (long i = 0; i < rows; i++, p += t, g += t) {
    float s = 0;
    for (long j = 0; j < t; j++) s += p[j] * g[j];
    for (long j = 0; j < t; j++) g[j] = p[j] * (g[j] - s) * scale;
  }
}

// pairs (2j, 2j+1) of each head turned by the angle of the position; sign -1 turns back. x: [batch, positions, heads, dim]
void rotate(long batch, long positions, long heads, long dim, float sign, const float *cosine, const float *sine, float *x) {
  for (long b = 0; b < batch; b++)
    for (long p = 0; p < positions; p++)
      for (long h = 0; h < heads; h++, x += dim)
        for (long j = 0; j < dim / 2; j++) {
          float c = cosine[p * dim / 2 + j], s = sign * sine[p * dim / 2 + j], u = x[2 * j], v = x[2 * j + 1];
          x[2 * j] = u * c - v * s;
          x[2 * j + 1] = u * s + v * c;
        }
}

void adamw(long n, float *w, const float *g, float *m, float *v, float rate, float decay, float b1, float b2, float c1, float c2) {
  for (long i = 0; i < n; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    w[i] -= rate * (m[i] * c1 / (sqrtf(v[i] * c2) + 1e-8f) + decay * w[i]);
  }
}
