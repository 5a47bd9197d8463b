"""The diffusion's formulas against diffusers' scheduler, torch's distributions, and sums to one."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from harness.lab.distill.diffusion.dit import (
    BETA_END,
    BETA_START,
    BIN,
    STEPS,
    Diffusion,
    bin_log_likelihood,
    divergence,
)

diffusers = pytest.importorskip("diffusers")
DIFFUSION = Diffusion.linear("cpu")
TIMES = torch.tensor([1, 2, 500, 999])


def scheduler(**fields):
    made = diffusers.DDPMScheduler(
        beta_start=BETA_START, beta_end=BETA_END, clip_sample=False, **fields
    )
    # In double precision, as ours.
    made.alphas_cumprod, made.one = DIFFUSION.kept, torch.ones((), dtype=torch.float64)
    return made


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_noise_is_that_of_the_published_schedule() -> None:
    theirs = diffusers.DDPMScheduler(beta_start=BETA_START, beta_end=BETA_END).alphas_cumprod
    assert torch.allclose(DIFFUSION.kept, theirs.double(), rtol=1e-4)
    assert len(DIFFUSION.kept) == STEPS == 1000


def test_what_was_noised_is_cleaned_by_its_noise() -> None:
    clean, noise = drawn(4, 4, 2, 2), drawn(4, 4, 2, 2, seed=1)
    noised = DIFFUSION.noised(clean, TIMES, noise)
    assert torch.allclose(noised, scheduler().add_noise(clean, noise, TIMES))
    assert torch.allclose(DIFFUSION.cleaned(noised, TIMES, noise), clean)


def test_the_mean_before_is_where_a_step_without_noise_goes() -> None:
    noised, noise = drawn(4, 4, 2, 2), drawn(4, 4, 2, 2, seed=1)
    theirs = scheduler(variance_type="fixed_small")
    theirs._get_variance = lambda *given, **named: torch.zeros((), dtype=torch.float64)
    for row, time in enumerate(TIMES):
        one = slice(row, row + 1)
        step = theirs.step(noise[one], int(time), noised[one])
        guess = DIFFUSION.cleaned(noised[one], TIMES[one], noise[one])
        assert torch.allclose(guess, step.pred_original_sample)
        assert torch.allclose(DIFFUSION.mean_before(guess, noised[one], TIMES[one]), step[0])


def test_the_variance_lies_where_diffusers_has_it() -> None:
    share, theirs = drawn(4, 4, 2, 2), scheduler(variance_type="learned_range")
    ours = DIFFUSION.log_variance(share, TIMES)
    for row, time in enumerate(TIMES):
        assert torch.allclose(ours[row], theirs._get_variance(int(time), share[row]), atol=1e-6)


def test_at_the_first_time_the_variance_of_the_second_stands_in() -> None:
    least = DIFFUSION.least_log_variance
    assert least[0] == least[1]
    assert least.isfinite().all()


def test_divergence_is_that_of_two_normal_distributions() -> None:
    mean, log, other, other_log = drawn(4, 50)
    first, second = Normal(mean, (log / 2).exp()), Normal(other, (other_log / 2).exp())
    ours = divergence(mean, log, other, other_log)
    assert torch.allclose(ours, kl_divergence(first, second))


def test_the_grey_values_share_all_probability() -> None:
    values = torch.linspace(-1, 1, 256, dtype=torch.float64)
    for mean, deviation in ((0.1, 0.3), (-0.97, 0.5), (2.0, 1.0)):
        log_variance = torch.full_like(values, 2 * math.log(deviation))
        shares = bin_log_likelihood(values, torch.full_like(values, mean), log_variance).exp()
        assert shares.sum().item() == pytest.approx(1, abs=1e-9)
        inner = Normal(mean, deviation).cdf(values + BIN) - Normal(mean, deviation).cdf(
            values - BIN
        )
        assert torch.allclose(shares[1:-1], inner[1:-1])


def test_the_loss_is_the_squared_error_and_the_bound() -> None:
    clean, noise, answer = drawn(4, 4, 2, 2), drawn(4, 4, 2, 2, seed=1), drawn(4, 8, 2, 2, seed=2)
    predicted, share = answer.chunk(2, dim=1)
    noised = DIFFUSION.noised(clean, TIMES, noise)
    guess = DIFFUSION.cleaned(noised, TIMES, predicted)
    variance = DIFFUSION.least_log_variance[TIMES].exp().view(4, 1, 1, 1).sqrt()
    true = Normal(DIFFUSION.mean_before(clean, noised, TIMES), variance)
    own = (DIFFUSION.log_variance(share, TIMES) / 2).exp()
    bits = kl_divergence(true, Normal(DIFFUSION.mean_before(guess, noised, TIMES), own))
    expected = ((predicted - noise) ** 2 + bits / math.log(2)).mean(dim=(1, 2, 3))
    assert torch.allclose(DIFFUSION.losses(answer, clean, TIMES, noise), expected)


def test_at_the_first_time_the_bound_is_the_likelihood_of_the_latents() -> None:
    clean, noise, answer = drawn(1, 4, 2, 2), drawn(1, 4, 2, 2, seed=1), drawn(1, 8, 2, 2, seed=2)
    first, (predicted, share) = torch.zeros(1).long(), answer.chunk(2, dim=1)
    noised = DIFFUSION.noised(clean, first, noise)
    mean = DIFFUSION.mean_before(DIFFUSION.cleaned(noised, first, predicted), noised, first)
    nats = -bin_log_likelihood(clean, mean, DIFFUSION.log_variance(share, first))
    expected = ((predicted - noise) ** 2 + nats / math.log(2)).mean()
    assert DIFFUSION.losses(answer, clean, first, noise).item() == pytest.approx(expected.item())


def test_only_the_variance_learns_from_the_bound() -> None:
    clean, noise = drawn(4, 4, 2, 2), drawn(4, 4, 2, 2, seed=1)
    answer = drawn(4, 8, 2, 2, seed=2).requires_grad_()
    DIFFUSION.losses(answer, clean, TIMES, noise).sum().backward()
    of_noise, of_variance = answer.grad.chunk(2, dim=1)
    assert torch.allclose(of_noise, 2 * (answer[:, :4] - noise) / 16)
    assert (of_variance != 0).any()
