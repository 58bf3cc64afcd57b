/* Runs kernels on an emulated core and writes what they gave, and how long it took, to a file of
 * the host: for each case its status, the ticks of the call and the output. Included by the
 * generated file that defines the cases.
 */
#include <stddef.h>
#include <stdint.h>

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
#define COPROCESSOR_ACCESS (*(volatile uint32_t *)0xE000ED88u)
#define SYSTICK_ON_CORE_CLOCK 5u
#define SYSTICK_MOST 0xFFFFFFu

#define GUARD 0x5AA5C33Cu
#define STATUS_OVERRUN 100

enum {
    SYS_OPEN = 0x01,
    SYS_WRITE = 0x05,
    SYS_EXIT = 0x18,
    EXIT_NORMALLY = 0x20026,
    EXIT_ON_FAULT = 0x20023,
    MODE_WRITE_BINARY = 5
};

static uint32_t output[OUTPUT_WORDS + 1];
static uint32_t scratch[SCRATCH_WORDS + 1];
static uint32_t stack[1024];

/* A call of the debugger's services, which QEMU answers. */
static uint32_t semihosting(uint32_t operation, const void *block) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void write_bytes(uint32_t file, const void *bytes, uint32_t count) {
    const uint32_t block[3] = {file, (uint32_t)bytes, count};
    (void)semihosting(SYS_WRITE, block);
}

static void run_case(uint32_t file, const emulated_case *c) {
    const mcubnn_context context = {scratch, c->scratch_bytes};
    uint32_t *output_end = &output[(c->output_bytes + 3u) / 4u];
    uint32_t *scratch_end = &scratch[(c->scratch_bytes + 3u) / 4u];
    *output_end = GUARD;
    *scratch_end = GUARD;
    SYSTICK_VALUE = 0u;
    const uint32_t before = SYSTICK_VALUE;
    int32_t record[2];
    record[0] = (int32_t)c->run(&context);
    record[1] = (int32_t)((before - SYSTICK_VALUE) & SYSTICK_MOST);
    if (*output_end != GUARD || *scratch_end != GUARD) {
        record[0] = STATUS_OVERRUN;
    }
    write_bytes(file, record, sizeof record);
    write_bytes(file, output, c->output_bytes);
}

static void reset(void) {
#if defined(__ARM_FEATURE_MVE)
    COPROCESSOR_ACCESS |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    static const char name[] = "result.bin";
    const uint32_t block[3] = {(uint32_t)name, MODE_WRITE_BINARY, sizeof name - 1u};
    const uint32_t file = semihosting(SYS_OPEN, block);
    SYSTICK_RELOAD = SYSTICK_MOST;
    SYSTICK_CONTROL = SYSTICK_ON_CORE_CLOCK;
    for (uint32_t i = 0u; i < sizeof cases / sizeof cases[0]; ++i) {
        run_case(file, &cases[i]);
    }
    (void)semihosting(SYS_EXIT, (const void *)EXIT_NORMALLY);
}

static void fault(void) {
    (void)semihosting(SYS_EXIT, (const void *)EXIT_ON_FAULT);
}

/* Initial stack pointer, reset, and the faults. */
__attribute__((section(".vectors"), used)) static const void *const vectors[8] = {
    stack + sizeof stack / sizeof stack[0], reset, fault, fault, fault, fault, fault, fault,
};
