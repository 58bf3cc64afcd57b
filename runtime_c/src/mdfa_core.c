#include "mdfa_core.h"

#include "full_adders.h"

#if MCUBNN_MDFA_ASSEMBLY

/* ISO C wants a declaration in every file; the function is in thumb1/ and thumb2/. */
typedef uint32_t mcubnn_mdfa_unused;

#else

/** The planes that are kept while words are added. */
typedef struct {
    uint32_t ones;
    uint32_t twos;
    uint32_t fours;
    uint32_t eights;
} planes;

/** Two full adders for four words, of which running parities are given: mcubnn_add_pairs() with
 *  x ^ z, the sum, and so on replaced by the parities that they are. */
static inline mcubnn_pair add_four(planes *p, const uint32_t *parities, const uint32_t *weights) {
    const uint32_t first = parities[0] ^ weights[0];
    const uint32_t second = parities[1] ^ weights[1];
    const uint32_t third = parities[2] ^ weights[2];
    const uint32_t fourth = parities[3] ^ weights[3];
    const uint32_t kept = first | (p->ones ^ second);
    p->ones = fourth;
    return (mcubnn_pair){.first = kept ^ second, .differ = kept ^ (third & ~(second ^ fourth))};
}

/** Eight words: the carries of weight 4. */
static inline mcubnn_pair add_eight(planes *p, const uint32_t *parities, const uint32_t *weights) {
    const mcubnn_pair first = add_four(p, parities, weights);
    const mcubnn_pair second = add_four(p, parities + 4, weights + 4);
    return mcubnn_add_pairs(&p->twos, first, second);
}

/** Sixteen words: the carry of weight 16. */
static inline uint32_t add_sixteen(planes *p, const uint32_t *parities, const uint32_t *weights) {
    const mcubnn_pair first = add_eight(p, parities, weights);
    const mcubnn_pair second = add_eight(p, parities + 8, weights + 8);
    return mcubnn_add_pair(&p->eights, mcubnn_add_pairs(&p->fours, first, second));
}

/** Planes of the first words, none, one or two. */
static inline planes start(const uint32_t *parities, const uint32_t *weights, uint32_t count) {
    planes p = {0u, 0u, 0u, 0u};
    if (count != 0u) {
        p.ones = parities[0] ^ weights[0];
    }
    if (count == 2u) {
        const uint32_t sum = parities[1] ^ weights[1];
        p.twos = p.ones & ~sum;
        p.ones = sum;
    }
    return p;
}

void mcubnn_mdfa_sums(const uint32_t *row, const uint32_t *weights, uint32_t words, int32_t inputs,
                      uint32_t count, int32_t *sums) {
    const uint32_t first = words % 4u;
    const uint32_t *end = row + words;
    const uint32_t *sixteens_begin = row + (words % 16u);
    for (uint32_t i = 0u; i < count; ++i) {
        planes p = start(row, weights, first);
        const uint32_t *next = row + first;
        weights += first;
        for (; next != sixteens_begin; next += 4) { /* at most 14 words: eights cannot overflow */
            const uint32_t carry = mcubnn_add_pair(&p.twos, add_four(&p, next, weights));
            p.eights ^= mcubnn_add_word(&p.fours, carry);
            weights += 4;
        }
        uint32_t overflows = 0u;
        for (; next != end; next += 16) {
            overflows += mcubnn_popcount(add_sixteen(&p, next, weights));
            weights += 16;
        }
        const uint32_t kept = mcubnn_popcount_planes(p.ones, p.twos, p.fours, p.eights);
        sums[i] = inputs - (2 * (int32_t)((16u * overflows) + kept));
    }
}

#endif
