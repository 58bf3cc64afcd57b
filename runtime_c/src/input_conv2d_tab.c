#include "mcubnn/input_conv2d_tab.h"

#include "bits.h"
#include "check.h"
#include "input_conv2d_tab_core.h"
#include "pixel.h"
#include "pooled.h"

/** Output columns computed together: two per word of a quad. */
#define TAB_PIXELS 8u
#define MAX_GROUPS 31u
#define MAX_TAPS_PER_GROUP 7u
#define MAX_TABLE_BYTES 0x10000u /* offsets have 16 bits */
#define LOW_HALF 0xFFFFu
#define HALF_BITS 16u
#define UNREAD UINT32_MAX

/** How the taps are grouped and what is where in the scratch memory. */
typedef struct {
    uint32_t group_taps;    /**< of the smaller groups of a kernel row */
    uint32_t larger_groups; /**< that many groups, the first ones, have one tap more */
    uint32_t row_words;     /**< tables of one row of the map; there are row_slots of them */
    uint32_t start_words;   /**< a quad per channel */
    uint32_t samples;       /**< the pixels of one row that eight windows see, a word each */
    uint32_t pairs;         /**< words that hold sample s and the one four windows on; then bits */
} tab_layout;

/** One column of blocks: eight output columns, all rows. */
typedef struct {
    const mcubnn_input_conv2d_tab_params *params;
    tab_layout layout;
    uint32_t *tables;
    uint32_t *starts;
    uint32_t *samples;
    uint32_t *pairs;
    uint32_t *bits;
    uint32_t column;             /**< first output column */
    uint32_t count;              /**< output columns, 1 .. TAB_PIXELS */
    uint32_t first;              /**< samples first .. last - 1 lie inside the map */
    uint32_t last;               /**< */
    uint8_t classes[TAB_PIXELS]; /**< position classes that `starts` is filled for */
    uint32_t places[TAB_PIXELS]; /**< words from a row of the pool's output to each pixel, UNREAD */
} tab_column;

/** Words from one output column's samples to the next one's. */
static uint32_t column_step(const mcubnn_input_conv2d_tab_params *params) {
    return (uint32_t)params->window.stride_width * params->input.channels;
}

static uint32_t row_taps(const mcubnn_input_conv2d_tab_params *params) {
    return (uint32_t)params->window.kernel_width * params->input.channels;
}

/** Output channels, padded to whole blocks. */
static uint32_t padded_channels(const mcubnn_input_conv2d_tab_params *params) {
    return MCUBNN_INPUT_CONV2D_TAB_CHANNELS((uint32_t)params->output.channels);
}

static tab_layout layout_of(const mcubnn_input_conv2d_tab_params *params) {
    const uint32_t groups = params->row_groups;
    const uint32_t taps = row_taps(params);
    const uint32_t samples = taps + ((TAB_PIXELS - 1u) * column_step(params));
    const tab_layout layout = {
        .group_taps = taps / groups,
        .larger_groups = taps % groups,
        .row_words = MCUBNN_INPUT_CONV2D_TAB_ROW_WORDS(taps, groups),
        .start_words = padded_channels(params) * MCUBNN_TAB_QUAD_WORDS,
        .samples = samples,
        .pairs = samples - (MCUBNN_TAB_QUAD_WORDS * column_step(params)),
    };
    return layout;
}

static uint32_t scratch_bytes(const mcubnn_input_conv2d_tab_params *params) {
    return MCUBNN_INPUT_CONV2D_TAB_SCRATCH_BYTES(
        (uint32_t)params->window.kernel_width, (uint32_t)params->window.stride_width,
        (uint32_t)params->row_groups, (uint32_t)params->row_slots, (uint32_t)params->input.channels,
        (uint32_t)params->output.channels);
}

/** Groups, and taps in the largest one, are few enough. */
static bool groups_are_valid(const mcubnn_input_conv2d_tab_params *params) {
    const uint32_t groups = (uint32_t)params->window.kernel_height * params->row_groups;
    const uint32_t taps = row_taps(params);
    if (groups == 0u || groups > MAX_GROUPS || taps < params->row_groups ||
        taps > MAX_TAPS_PER_GROUP * params->row_groups) {
        return false;
    }
    const uint32_t row_words = layout_of(params).row_words;
    return params->window.kernel_height * row_words <= MAX_TABLE_BYTES / sizeof(uint32_t);
}

static bool params_are_valid(const mcubnn_input_conv2d_tab_params *params) {
    const mcubnn_window *window = &params->window;
    return mcubnn_geometry_is_valid(&params->input, &params->output, window) &&
           window->dilation_height == 1u && window->dilation_width == 1u &&
           mcubnn_pixel_type_is_valid(params->input_type) && params->offsets != NULL &&
           params->starts != NULL && params->row_slots >= window->kernel_height &&
           groups_are_valid(params) && mcubnn_pool_is_valid(params->pool, &params->output);
}

/** Find where in a row of the pool's output the block's columns are folded into. */
static void find_places(tab_column *block) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    const uint32_t words = mcubnn_words_for(params->output.channels);
    mcubnn_pool_walk columns = mcubnn_pool_columns(params->pool, &params->output);
    mcubnn_pool_seek(&columns, block->column);
    for (uint32_t i = 0u; i < block->count; ++i) {
        const bool read = block->column + i == columns.at;
        block->places[i] = read ? columns.window * words : UNREAD;
        if (read) {
            mcubnn_pool_step(&columns);
        }
    }
}

/** Begin a column of blocks: which samples lie inside the map; those outside stay 0. */
static void begin_column(tab_column *block, uint32_t column) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    const uint32_t channels = params->input.channels;
    const uint32_t pad = params->window.pad_left;
    const uint32_t rest = params->output.width - column;
    const uint32_t end = params->input.width + pad; /* in columns of the padded map */
    const uint32_t origin = column * params->window.stride_width;
    const uint32_t inside = origin < pad ? pad - origin : 0u;
    const uint32_t outside = origin < end ? end - origin : 0u;
    const uint32_t samples = block->layout.samples;
    block->column = column;
    block->count = rest < TAB_PIXELS ? rest : TAB_PIXELS;
    block->last = outside * channels < samples ? outside * channels : samples;
    block->first = inside * channels < block->last ? inside * channels : block->last;
    for (uint32_t i = 0u; i < samples; ++i) {
        block->samples[i] = 0u;
    }
    if (params->pool != NULL) {
        find_places(block);
    }
}

/** Read the samples of one row of the map and pair each with the one four windows on. */
static void read_row(const tab_column *block, const uint8_t *input, uint32_t row) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    const uint32_t channels = params->input.channels;
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(params->input_type);
    const uint32_t line = row * params->input.width * channels;
    const uint32_t origin = block->column * column_step(params);
    const uint32_t pad = params->window.pad_left * channels;
    for (uint32_t i = block->first; i < block->last; ++i) {
        const uint8_t byte = input[line + ((origin + i) - pad)];
        block->samples[i] = (uint32_t)mcubnn_pixel_value(byte, sign_bit);
    }
    const uint32_t *low = block->samples;
    const uint32_t *high = low + (MCUBNN_TAB_QUAD_WORDS * column_step(params));
    for (uint32_t i = 0u; i < block->layout.pairs; ++i) {
        block->pairs[i] = low[i] + (high[i] << HALF_BITS);
    }
}

/** Fill the tables of one row of the map, or of a row of zeros outside it. */
static void tabulate_row(const tab_column *block, const uint8_t *input, uint32_t row,
                         uint32_t *table) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    if (row < params->input.height) {
        read_row(block, input, row);
    } else {
        for (uint32_t i = 0u; i < block->layout.pairs; ++i) {
            block->pairs[i] = 0u;
        }
    }
    const uint32_t *pairs = block->pairs;
    for (uint32_t group = 0u; group < params->row_groups; ++group) {
        const uint32_t taps =
            block->layout.group_taps + (group < block->layout.larger_groups ? 1u : 0u);
        mcubnn_input_conv2d_tab_expand(table, pairs, column_step(params), taps);
        table += MCUBNN_TAB_QUAD_WORDS << taps;
        pairs += taps;
    }
}

/** Note the position classes of a row of the block; true if they are not those in `starts`. */
static bool classes_change(tab_column *block, uint32_t output_row) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    const uint8_t *row = params->position_class;
    if (row == NULL) {
        return false;
    }
    row += (output_row * params->output.width) + block->column;
    bool changed = false;
    for (uint32_t i = 0u; i < block->count; ++i) {
        changed = changed || block->classes[i] != row[i];
        block->classes[i] = row[i];
    }
    return changed;
}

static void fill_starts(const tab_column *block) {
    const uint32_t channels = padded_channels(block->params);
    for (uint32_t i = 0u; i < MCUBNN_TAB_QUAD_WORDS; ++i) {
        const uint32_t high_pixel = i + MCUBNN_TAB_QUAD_WORDS;
        const uint16_t *low = block->params->starts + (block->classes[i] * channels);
        const uint16_t *high = block->params->starts + (block->classes[high_pixel] * channels);
        uint32_t *start = block->starts + i;
        for (uint32_t channel = 0u; channel < channels; ++channel) {
            *start = low[channel] | ((uint32_t)high[channel] << HALF_BITS);
            start += MCUBNN_TAB_QUAD_WORDS;
        }
    }
}

/** Turn the quads of two blocks of channels into one word of each pixel. */
static void write_word(const uint32_t *quads, uint32_t count, uint32_t words, uint32_t *output) {
    for (uint32_t i = 0u; i < MCUBNN_TAB_QUAD_WORDS; ++i) {
        const uint32_t first = quads[i];
        const uint32_t second = quads[i + MCUBNN_TAB_QUAD_WORDS];
        if (i < count) {
            output[i * words] = (first & LOW_HALF) | (second << HALF_BITS);
        }
        if (i + MCUBNN_TAB_QUAD_WORDS < count) {
            output[(i + MCUBNN_TAB_QUAD_WORDS) * words] =
                (first >> HALF_BITS) | (second & ~LOW_HALF);
        }
    }
}

/** Fold the pixels of a row of the block into the pool's output. */
static void pool_row(const tab_column *block, const mcubnn_pool_walk *row, uint32_t *output) {
    const mcubnn_bit_max_pool_params *pool = block->params->pool;
    const uint32_t words = mcubnn_words_for(pool->output.channels);
    const uint32_t *quad = block->bits;
    output += row->window * pool->output.width * words;
    for (uint32_t word = 0u; word < words; ++word) {
        const uint32_t minimum = mcubnn_pool_minimum(pool, word);
        uint32_t pixels[TAB_PIXELS];
        write_word(quad, TAB_PIXELS, 1u, pixels);
        for (uint32_t i = 0u; i < block->count; ++i) {
            if (block->places[i] != UNREAD) {
                uint32_t *pooled = output + block->places[i] + word;
                *pooled = mcubnn_pool_word(*pooled, pixels[i], minimum);
            }
        }
        quad += 2u * MCUBNN_TAB_QUAD_WORDS;
    }
}

/** One row of the block, whose first row of tables is given. */
static void convolve_row(tab_column *block, const uint32_t *tables, const mcubnn_pool_walk *row,
                         uint32_t *output) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    const uint32_t groups = (uint32_t)params->window.kernel_height * params->row_groups;
    const uint32_t words = mcubnn_words_for(params->output.channels);
    if (classes_change(block, row->at)) {
        fill_starts(block);
    }
    mcubnn_input_conv2d_tab_sum(tables, params->offsets, groups,
                                padded_channels(params) / MCUBNN_TAB_BLOCK_CHANNELS, block->starts,
                                block->bits);
    if (params->pool != NULL) {
        pool_row(block, row, output);
        return;
    }
    output += ((row->at * params->output.width) + block->column) * words;
    for (uint32_t word = 0u; word < words; ++word) {
        const uint32_t *quads = block->bits + (2u * MCUBNN_TAB_QUAD_WORDS * word);
        write_word(quads, block->count, words, output + word);
    }
}

/** One column of blocks, from top to bottom, adding one row of the map at a time to the tables. */
static void convolve_column(tab_column *block, const uint8_t *input, uint32_t *output) {
    const mcubnn_input_conv2d_tab_params *params = block->params;
    const uint32_t row_words = block->layout.row_words;
    const uint32_t shared_rows = params->window.kernel_height - 1u;
    uint32_t slot = 0u;         /* for the tables of the next row */
    uint32_t due = shared_rows; /* rows until the next window is complete */
    uint32_t output_row = 0u;
    mcubnn_pool_walk rows = mcubnn_pool_rows(params->pool, &params->output);
    for (uint32_t row = 0u; output_row < params->output.height; ++row) {
        if (slot == params->row_slots) {
            slot = shared_rows;
            if (shared_rows > 0u) {
                const uint32_t moved = (params->row_slots - shared_rows) * row_words;
                mcubnn_input_conv2d_tab_slide(block->tables, block->tables + moved,
                                              shared_rows * row_words);
            }
        }
        uint32_t *table = block->tables + (slot * row_words);
        tabulate_row(block, input, row - params->window.pad_top, table);
        if (due == 0u) {
            if (output_row == rows.at) {
                convolve_row(block, table - (shared_rows * row_words), &rows, output);
                mcubnn_pool_step(&rows);
            }
            ++output_row;
            due = params->window.stride_height;
        }
        --due;
        ++slot;
    }
}

mcubnn_status mcubnn_input_conv2d_tab(const mcubnn_context *context,
                                      const mcubnn_input_conv2d_tab_params *params,
                                      const void *input, void *output) {
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t bytes = scratch_bytes(params);
    tab_column block = {.params = params, .layout = layout_of(params)};
    if (context == NULL || context->buffer == NULL || context->size_bytes < bytes) {
        return MCUBNN_ERROR_SCRATCH;
    }
    block.tables = (uint32_t *)context->buffer;
    block.starts = block.tables + ((uint32_t)params->row_slots * block.layout.row_words);
    block.samples = block.starts + block.layout.start_words;
    block.pairs = block.samples + block.layout.samples;
    block.bits = block.pairs + block.layout.pairs;
    const uint32_t *end = block.tables + (bytes / sizeof(uint32_t));
    for (uint32_t *word = block.bits; word < end; ++word) {
        *word = 0u; /* an odd number of blocks leaves the upper half of the last word 0 */
    }
    fill_starts(&block);
    mcubnn_pool_begin(params->pool, (uint32_t *)output);
    for (uint32_t column = 0u; column < params->output.width; column += TAB_PIXELS) {
        begin_column(&block, column);
        convolve_column(&block, (const uint8_t *)input, (uint32_t *)output);
    }
    return MCUBNN_SUCCESS;
}
