/** @file stm32f746.c
 *  Port for the NUCLEO-F746ZG: 216 MHz, caches on, USART3 on the ST-LINK's virtual COM port.
 *
 *  Both caches are on: weights are read from flash through the AXI bus at 7 wait states, and
 *  the D-cache hides them. There is no DMA, so no memory can become incoherent.
 */
#include "stm32f746.h"
#include "port.h"

/* PLL: 2 MHz in (the value RM0385 recommends), VCO 432 MHz, core 216 MHz. The 48 MHz output is
 * unused but has to be in range. */
#define PLL_M_HSE 4u /* 8 MHz from the ST-LINK */
#define PLL_M_HSI 8u /* 16 MHz internal, 1 percent accurate */
#define PLL_N 216u
#define PLL_Q 9u

#define APB1_HZ (MCUBNN_CORE_CLOCK_HZ / 4u)
#define FLASH_WAIT_STATES 7u /* 216 MHz at 2.7 V to 3.6 V */
#define HSE_POLLS 100000u    /* more than 20 ms at 16 MHz */
#define PIN_MODE_ALTERNATE 2u
#define PIN_PULL_UP 1u
#define PIN_FUNCTION_USART3 7u

_Static_assert(MCUBNN_CORE_CLOCK_HZ == 216000000, "the PLL's factors are for 216 MHz");

/** Start the external clock; false if nobody feeds it (ST-LINK cut off the board). */
static uint32_t start_external_clock(void) {
    STM32_RCC_CR |= STM32_RCC_CR_HSEBYP;
    STM32_RCC_CR |= STM32_RCC_CR_HSEON;
    for (uint32_t poll = 0u; poll < HSE_POLLS; poll++) {
        if ((STM32_RCC_CR & STM32_RCC_CR_HSERDY) != 0u) {
            return 1u;
        }
    }
    return 0u;
}

/** Raise the core voltage to what 216 MHz needs; the PLL must be on. RM0385 section 4.1.4. */
static void enable_overdrive(void) {
    STM32_PWR_CR1 |= STM32_PWR_CR1_ODEN;
    while ((STM32_PWR_CSR1 & STM32_PWR_CSR1_ODRDY) == 0u) {
    }
    STM32_PWR_CR1 |= STM32_PWR_CR1_ODSWEN;
    while ((STM32_PWR_CSR1 & STM32_PWR_CSR1_ODSWRDY) == 0u) {
    }
}

static void start_clock(void) {
    STM32_RCC_APB1ENR |= STM32_RCC_APB1ENR_PWREN;
    (void)STM32_RCC_APB1ENR; /* a peripheral needs two cycles after its clock is enabled */
    STM32_PWR_CR1 |= STM32_PWR_CR1_VOS_SCALE1;

    uint32_t source = STM32_RCC_PLLCFGR_M(PLL_M_HSI);
    if (start_external_clock() != 0u) {
        source = STM32_RCC_PLLCFGR_M(PLL_M_HSE) | STM32_RCC_PLLCFGR_SRC_HSE;
    }
    STM32_RCC_PLLCFGR = (STM32_RCC_PLLCFGR & STM32_RCC_PLLCFGR_RESERVED_MASK) | source |
                        STM32_RCC_PLLCFGR_N(PLL_N) | STM32_RCC_PLLCFGR_P_DIV2 |
                        STM32_RCC_PLLCFGR_Q(PLL_Q);
    STM32_RCC_CR |= STM32_RCC_CR_PLLON;
    enable_overdrive();
    while ((STM32_RCC_CR & STM32_RCC_CR_PLLRDY) == 0u) {
    }

    /* ART and prefetch serve the flash's ITCM alias only; code linked there profits. */
    STM32_FLASH_ACR = STM32_FLASH_ACR_ARTEN | STM32_FLASH_ACR_PRFTEN | FLASH_WAIT_STATES;
    while ((STM32_FLASH_ACR & STM32_FLASH_ACR_LATENCY_MASK) != FLASH_WAIT_STATES) {
    }
    STM32_RCC_CFGR = STM32_RCC_CFGR_PPRE1_DIV4 | STM32_RCC_CFGR_PPRE2_DIV2 | STM32_RCC_CFGR_SW_PLL;
    while ((STM32_RCC_CFGR & STM32_RCC_CFGR_SWS_MASK) != STM32_RCC_CFGR_SWS_PLL) {
    }
}

/** Invalidate and enable both caches; after reset their contents are random (DDI 0489). */
static void enable_caches(void) {
    SCB_ICIALLU = 0u;
    SCB_CSSELR = 0u; /* the L1 data cache */
    __asm volatile("dsb" ::: "memory");
    const uint32_t geometry = SCB_CCSIDR;
    const uint32_t sets = (geometry >> 13) & 0x7FFFu; /* number of sets - 1 */
    const uint32_t ways = (geometry >> 3) & 0x3FFu;   /* number of ways - 1 */
    for (uint32_t set = 0u; set <= sets; set++) {
        for (uint32_t way = 0u; way <= ways; way++) {
            SCB_DCISW = (way << 30) | (set << 5); /* 4 ways, lines of 32 bytes */
        }
    }
    __asm volatile("dsb" ::: "memory");
    SCB_CCR |= SCB_CCR_IC | SCB_CCR_DC;
    __asm volatile("dsb\n\tisb" ::: "memory");
}

/** PD8 transmits, PD9 receives; both are alternate function 7. */
static void start_uart(void) {
    STM32_RCC_AHB1ENR |= STM32_RCC_AHB1ENR_GPIODEN;
    STM32_RCC_APB1ENR |= STM32_RCC_APB1ENR_USART3EN;
    (void)STM32_RCC_APB1ENR;
    STM32_GPIOD_AFRH =
        (STM32_GPIOD_AFRH & ~0xFFu) | PIN_FUNCTION_USART3 | (PIN_FUNCTION_USART3 << 4);
    STM32_GPIOD_PUPDR = (STM32_GPIOD_PUPDR & ~(3u << 18)) | (PIN_PULL_UP << 18);
    STM32_GPIOD_MODER = (STM32_GPIOD_MODER & ~(0xFu << 16)) | (PIN_MODE_ALTERNATE << 16) |
                        (PIN_MODE_ALTERNATE << 18);
    STM32_USART3_BRR = (APB1_HZ + (MCUBNN_PORT_BAUD / 2u)) / MCUBNN_PORT_BAUD;
    STM32_USART3_CR1 = STM32_USART_CR1_UE | STM32_USART_CR1_RE | STM32_USART_CR1_TE;
}

static void start_cycle_counter(void) {
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT_LAR = DWT_LAR_KEY;
    DWT_CYCCNT = 0u;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
}

void mcubnn_port_init(void) {
    enable_caches();
    start_clock();
    start_cycle_counter();
    start_uart();
}

int32_t mcubnn_port_read(void) {
    while ((STM32_USART3_ISR & STM32_USART_ISR_RXNE) == 0u) {
    }
    const uint32_t byte = STM32_USART3_RDR & 0xFFu;
    STM32_USART3_ICR = STM32_USART_ICR_ORECF; /* a lost byte shows in the frame's CRC */
    return (int32_t)byte;
}

void mcubnn_port_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0u; i < length; i++) {
        while ((STM32_USART3_ISR & STM32_USART_ISR_TXE) == 0u) {
        }
        STM32_USART3_TDR = data[i];
    }
}

uint32_t mcubnn_port_ticks(void) {
    return DWT_CYCCNT;
}

uint32_t mcubnn_port_tick_hz(void) {
    return MCUBNN_CORE_CLOCK_HZ;
}
