"""mcubnn: trained binary neural networks to C for Arm Cortex-M."""
