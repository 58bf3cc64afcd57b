/** @file startup.c
 *  Vector table and reset handler for every Cortex-M with the Armv7-M memory map.
 *
 *  No interrupt is used, so the table ends after the 16 system vectors. The symbols that start
 *  with mcubnn_ld_ come from the linker script; only their addresses mean something.
 */
#include <stdint.h>

#include "port.h"

/** Words at the start of the image: initial stack pointer and the exception handlers. */
typedef struct {
    const uint32_t *stack_top;
    void (*handlers[15])(void);
} vector_table;

extern const uint32_t mcubnn_ld_data_load[];
extern uint32_t mcubnn_ld_data_start[];
extern uint32_t mcubnn_ld_data_end[];
extern uint32_t mcubnn_ld_bss_start[];
extern uint32_t mcubnn_ld_bss_end[];
extern const uint32_t mcubnn_ld_stack_top[];
/* Weak, so all zero where the linker script leaves hot code in flash. */
extern const uint32_t mcubnn_ld_hot_load[] __attribute__((weak));
extern uint32_t mcubnn_ld_hot_start[] __attribute__((weak));
extern uint32_t mcubnn_ld_hot_end[] __attribute__((weak));

int main(void);
void Reset_Handler(void);

#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08u)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u)

static const vector_table vectors __attribute__((section(".vectors"), used)) = {
    .stack_top = mcubnn_ld_stack_top,
    .handlers =
        {
            Reset_Handler, mcubnn_port_fault, /* NMI */
            mcubnn_port_fault,                /* hard fault */
            mcubnn_port_fault,                /* memory management */
            mcubnn_port_fault,                /* bus fault */
            mcubnn_port_fault,                /* usage fault */
            mcubnn_port_fault,                /* reserved */
            mcubnn_port_fault,                /* reserved */
            mcubnn_port_fault,                /* reserved */
            mcubnn_port_fault,                /* reserved */
            mcubnn_port_fault,                /* supervisor call */
            mcubnn_port_fault,                /* debug monitor */
            mcubnn_port_fault,                /* reserved */
            mcubnn_port_fault,                /* pending service */
            mcubnn_port_fault,                /* SysTick */
        },
};

__attribute__((weak)) void mcubnn_port_fault(void) {
    for (;;) {
    }
}

static void copy(uint32_t *word, const uint32_t *end, const uint32_t *source) {
    while (word < end) {
        *word = *source;
        word++;
        source++;
    }
}

/** Initialise memory as C requires, copy hot code to where it runs, and run main. */
void Reset_Handler(void) {
    SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    SCB_CPACR |= 0xFu << 20; /* full access to the coprocessors 10 and 11: FPU and MVE */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    copy(mcubnn_ld_data_start, mcubnn_ld_data_end, mcubnn_ld_data_load);
    copy(mcubnn_ld_hot_start, mcubnn_ld_hot_end, mcubnn_ld_hot_load);
    /* The stores reach memory before anything is fetched from there; no cache is on yet. */
    __asm volatile("dsb\n\tisb" ::: "memory");
    for (uint32_t *word = mcubnn_ld_bss_start; word < mcubnn_ld_bss_end; word++) {
        *word = 0u;
    }
    (void)main();
    mcubnn_port_fault(); /* a firmware has nowhere to return to */
}
