"""What the losses state: zero for the perfect student, own centroids, speakers parted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from tests.rt_models.toys import SMALL  # noqa: E402
from voicelane.rt_models.nets.registry import NetConfig  # noqa: E402
from voicelane.rt_models.training import corpus, encoder, losses  # noqa: E402
from voicelane.rt_models.training.batches import CropConfig, CropSampler  # noqa: E402
from voicelane.rt_models.training.objective import LossConfig  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("kind", ["softmax", "contrast", "angular prototypical", "additive angular margin"])
def test_losses_on_labels_part_the_speakers(kind):
    torch.manual_seed(0)
    free = torch.nn.Parameter(torch.randn(5, 4, 8))
    loss = {
        "softmax": losses.GE2E("softmax"),
        "contrast": losses.GE2E("contrast"),
        "angular prototypical": losses.AngularPrototypical(),
        "additive angular margin": losses.AdditiveAngularMargin(8, 5),
    }[kind]
    optimiser = torch.optim.Adam([free, *loss.parameters()], 0.05)
    for _ in range(200):
        x = torch.nn.functional.normalize(free, dim=2)
        flat = kind == "additive angular margin"
        value = loss(x.flatten(0, 1), torch.arange(5).repeat_interleave(4)) if flat else loss(x)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    found = losses.centroid_cosines(torch.nn.functional.normalize(free.detach(), dim=2))[:, -1]
    assert (found.argmax(dim=1) == torch.arange(5)).all()


def test_ge2e_leaves_an_utterance_out_of_its_own_centroid():
    x = torch.nn.functional.normalize(torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(2)), dim=2)
    found = losses.centroid_cosines(x)
    for j in range(4):
        for i in range(3):
            for k in range(4):
                kept = [m for m in range(3) if k != j or m != i]
                wanted = torch.cosine_similarity(x[j, i], x[k, kept].mean(dim=0), dim=0)
                torch.testing.assert_close(found[j, i, k], wanted)


def test_the_scale_of_ge2e_stays_positive_and_learns_slowly(tmp_path, sampler):
    loss = losses.GE2E()
    with torch.no_grad():
        loss.scale.fill_(-5.0)
    loss(torch.nn.functional.normalize(torch.randn(4, 3, 8), dim=2)).backward()
    assert loss.scale.grad != 0

    grouped = CropSampler(
        sampler.copies,
        ["demo"] * 12,
        [],
        sampler.prior,
        dataclasses.replace(sampler.config, utterances_per_speaker=3),
    )
    config = encoder.TrainConfig(
        net=NetConfig("conv_transformer", SMALL),
        losses=LossConfig(ge2e=1.0),
        steps=5,
        batch=12,
        warm_up=1,
        learning_rate=0.01,
        save_every=5,
    )
    encoder.train(config, grouped, tmp_path / "run.pt")
    scale = torch.load(tmp_path / "run.pt", weights_only=True)["objective"]["ge2e.scale"]
    assert 0 < abs(scale.item() - 10.0) < 5 * 0.01 * 0.01 * 1.5


def test_losses_on_labels_need_grouped_batches(sampler):
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL), losses=LossConfig(ge2e=1.0))
    with pytest.raises(ValueError, match="utterances_per_speaker"):
        encoder.train(config, sampler, Path("never.pt"))


def test_losses_on_a_teacher_need_one(cache, tmp_path):
    choice = corpus.CopyConfig(speeds=(0,), perturbed=())
    made = corpus.sampler(corpus.Prepared(cache, [], [], tmp_path), None, choice, CropConfig())
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL))
    with pytest.raises(ValueError, match="teacher"):
        encoder.train(config, made, tmp_path / "run.pt")


def test_a_student_of_another_length_is_mapped_to_the_teacher(tmp_path, sampler):
    config = encoder.TrainConfig(
        net=NetConfig("conv_transformer", SMALL | {"dim": 24}), steps=2, batch=6, save_every=2
    )
    assert encoder.train(config, sampler, tmp_path / "run.pt").config.dim == 24
    assert torch.load(tmp_path / "run.pt", weights_only=True)["curve"][0]["distillation"] < 2


def test_the_losses_are_zero_for_a_perfect_student_only():
    teacher = torch.nn.functional.normalize(torch.randn(8, 16), dim=1)
    people = torch.arange(8)
    assert losses.distillation(teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert losses.relational(-teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert losses.distillation(-teacher, teacher).item() == pytest.approx(2, abs=1e-6)
    right = losses.contrastive(teacher, teacher, people, teacher, people)
    assert right < losses.contrastive(teacher.roll(1, 0), teacher, people, teacher, people)


def test_neither_the_same_speaker_nor_a_twin_is_a_negative():
    teacher = torch.eye(4)
    people = torch.arange(4)
    alone = losses.contrastive(teacher, teacher, people, teacher, people)
    twins = torch.cat((teacher, teacher + 0.01))
    torch.testing.assert_close(
        losses.contrastive(teacher, teacher, people, twins, torch.cat((people, people + 4))), alone
    )
