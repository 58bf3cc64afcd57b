#include "f2t_core.h"

#include "full_adders.h"

#if MCUBNN_F2T_THUMB1 || MCUBNN_F2T_THUMB2

/* ISO C wants a declaration in every file; the functions are in thumb1/ and thumb2/. */
typedef uint32_t mcubnn_f2t_unused;

#else

/** The words of the next two entries. */
static inline mcubnn_pair pair_of(const uint32_t *words, const uint16_t *list) {
    const uint32_t x = words[list[0]];
    return (mcubnn_pair){.first = x, .differ = x ^ words[list[1]]};
}

/** Eight words to the planes of weight 1 and 2: the carries of weight 4. */
static inline mcubnn_pair add_eight(uint32_t *ones, uint32_t *twos, const uint32_t *words,
                                    const uint16_t *list) {
    const mcubnn_pair a = mcubnn_add_pairs(ones, pair_of(words, list), pair_of(words, list + 2));
    const mcubnn_pair b =
        mcubnn_add_pairs(ones, pair_of(words, list + 4), pair_of(words, list + 6));
    return mcubnn_add_pairs(twos, a, b);
}

/** Let a carry of weight 16 run through the planes. */
static inline void ripple(uint32_t *planes, const uint32_t *before, uint32_t count,
                          uint32_t carry) {
    for (uint32_t k = 4u; k < count; ++k) {
        const uint32_t plane = before[k];
        planes[k] = plane ^ carry;
        carry &= plane;
    }
}

void mcubnn_f2t_sum(uint32_t *counters, const uint32_t *start, uint32_t planes,
                    const uint32_t *words, const uint16_t *list, uint32_t eights_left) {
    uint32_t ones = start[0];
    uint32_t twos = start[1];
    uint32_t fours = start[2];
    uint32_t eights = start[3];
    if (eights_left % 2u != 0u) {
        const mcubnn_pair carries = add_eight(&ones, &twos, words, list);
        const uint32_t carry = mcubnn_add_pair(&fours, carries);
        ripple(counters, start, planes, mcubnn_add_word(&eights, carry));
        start = counters;
        list += 8;
    }
    for (uint32_t sixteens = eights_left / 2u; sixteens != 0u; --sixteens) {
        const mcubnn_pair first = add_eight(&ones, &twos, words, list);
        const mcubnn_pair second = add_eight(&ones, &twos, words, list + 8);
        const mcubnn_pair carries = mcubnn_add_pairs(&fours, first, second);
        ripple(counters, start, planes, mcubnn_add_pair(&eights, carries));
        start = counters;
        list += 16;
    }
    counters[0] = ones;
    counters[1] = twos;
    counters[2] = fours;
    counters[3] = eights;
}

uint32_t mcubnn_f2t_reached(const uint32_t *planes, uint32_t complement, uint32_t count) {
    uint32_t carry = UINT32_MAX;
    for (uint32_t k = 0u; k < count; ++k) {
        carry = (complement & 1u) != 0u ? carry | planes[k] : carry & planes[k];
        complement >>= 1u;
    }
    return carry;
}

#endif
