"""Too little memory: fewer networks or rows at once, or rows left in their file."""

import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from semikd import nets
from semikd.exceptions import SemikdWarning
from semikd.nets.devices import is_out_of_memory


@pytest.fixture(scope="module")
def table():
    draws = np.random.default_rng(0)
    x = torch.from_numpy(draws.normal(size=(60, 3)))
    return x, torch.from_numpy(draws.normal(size=(60, 2)))


def members(n):
    return [
        nets.Member(
            nets.seeded(lambda: nets.mlp(3, (8,), 2, dropout=0.2).double(), m),
            training=torch.arange(m, 50 - m),
            validation=torch.arange(50, 60),
            seed=m,
            max_epochs=6,
        )
        for m in range(n)
    ]


def squares(y):
    return lambda f, batch: ((f - y[batch.rows]) ** 2).mean(dim=2)


def limited(y, most, error):
    """Squares on a device that has room for so many networks."""

    def losses(f, batch):
        if len(batch.members) > most:
            raise error
        return squares(y)(f, batch)

    return losses


OUT = torch.OutOfMemoryError("CUDA out of memory.")


@pytest.mark.parametrize(
    ("most", "warned"), [(4, [(7, 4)]), (2, [(7, 4), (4, 2), (3, 2)]), (1, None)]
)
def test_fewer_networks_are_trained_at_once_and_become_the_same(table, most, warned):
    x, y = table
    options = nets.TrainingOptions(batch_size=16)
    whole = nets.train(members(7), x, squares(y), options=options)
    with pytest.warns(SemikdWarning) as caught:
        halved = nets.train(members(7), x, limited(y, most, OUT), options=options)
    said = [str(warning.message) for warning in caught]
    if warned is not None:
        assert said == [
            f"The device ran out of memory with {n} networks at once; going on with "
            f"{half} at a time."
            for n, half in warned
        ]
    assert len(said) >= 1
    for one, other in zip(whole, halved, strict=True):
        for left, right in zip(
            one.module.parameters(), other.module.parameters(), strict=True
        ):
            torch.testing.assert_close(left, right, rtol=0, atol=1e-9)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_processor_out_of_memory_says_it_otherwise(table, error):
    x, y = table
    with pytest.warns(SemikdWarning, match="with 2 networks at once; going on with 1"):
        nets.train(members(2), x, limited(y, 1, error))


def test_torch_says_so_on_this_processor():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**14)
    assert is_out_of_memory(caught.value)


def test_other_errors_are_none_of_memory(table):
    x, y = table
    with pytest.raises(RuntimeError, match="a broken objective"):
        nets.train(members(2), x, limited(y, 1, RuntimeError("a broken objective")))


def test_a_single_network_that_does_not_fit_is_refused_in_one_line(table):
    x, y = table
    options = nets.TrainingOptions(batch_size=16)
    wanted = (
        r"^a batch must fit into the memory of the device; got batch_size=16 for one "
        r"network \(member 0\)\. Lower batch_size or the widths of the network\.$"
    )
    with pytest.raises(ValueError, match=wanted) as caught:
        nets.train(members(1), x, limited(y, 0, OUT), options=options)
    assert caught.value.__cause__ is None


def test_a_trial_that_runs_out_of_memory_is_no_reason_to_go_one_by_one(table):
    x, y = table
    tried = []

    class Large(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(3, 2).double()

        def forward(self, x):
            # Inside vmap the rows of all members are one tensor with a hidden axis.
            if torch._C._functorch.is_batchedtensor(self.last.weight):
                size = len(torch._C._functorch.get_unwrapped(self.last.weight))
                tried.append(size)
                if size > 2:
                    raise OUT
            return self.last(x)

    own = [nets.Member(Large(), torch.arange(50), max_epochs=2) for _ in range(4)]
    with pytest.warns(SemikdWarning, match="with 4 networks"):
        found = nets.train(own, x, squares(y))
    assert {one.mode for one in found} == {"vmap"}
    assert max(tried) == 4


def test_scores_are_computed_for_fewer_rows_at_a_time():
    class Narrow(nn.Module):
        def forward(self, x):
            if len(x) > 3:
                raise OUT
            return 2.0 * x

    inputs = np.arange(40.0).reshape(20, 2)
    cpu = nets.find_device("cpu")
    with pytest.warns(SemikdWarning, match=r"with \d+ rows at once") as caught:
        scores = nets.predict(Narrow(), inputs, device=cpu)
    np.testing.assert_array_equal(scores, 2 * inputs)
    said = [str(warning.message)[34:] for warning in caught]
    assert said[-1] == "5 rows at once; going on with 3 at a time."
    assert len(said) == 3
    assert {warning.filename for warning in caught} == {__file__}


def test_a_row_that_does_not_fit_is_refused_in_one_line():
    class Never(nn.Module):
        def forward(self, x):
            raise OUT

    cpu = nets.find_device("cpu")
    with (
        pytest.warns(SemikdWarning, match="with 2 rows"),
        pytest.raises(ValueError, match="row must fit into the memory of the device"),
    ):
        nets.predict(Never(), np.zeros((2, 2)), device=cpu)


CAPPED = """
import resource
import sys

import numpy as np
import torch

from semikd import nets

torch.set_num_threads(1)
path, how, cap = sys.argv[1], sys.argv[2], int(sys.argv[3])
module = nets.seeded(lambda: nets.mlp(64, (8,), 1), 0)
# Whatever is set up at the first step is set up before the cap.
warm = nets.Member(module, torch.arange(8), max_epochs=1)
nets.train([warm], torch.zeros(8, 64), lambda f, _: f[..., 0] ** 2)
if cap:
    used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (used + cap, used + cap))
file = np.load(path, mmap_mode="r")
cpu = torch.device("cpu")
if how == "mapped":
    rows = nets.MappedRows(file, cpu, torch.float32)
else:
    rows = torch.from_numpy(np.array(file))
order = torch.arange(len(file))
member = nets.Member(
    module, order[::2], validation=order[1::400], seed=1, max_epochs=1
)
found = nets.train(
    [member],
    rows,
    lambda f, batch: (f[..., 0] - batch.inputs[..., 0]) ** 2,
    options=nets.TrainingOptions(batch_size=1024),
)[0]
print(found.history[-1].train_loss.hex())
print([p.double().sum().item().hex() for p in found.module.parameters()])
"""


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """A file of 48 MiB, twice as large as what the process may still take."""
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    file = np.lib.format.open_memmap(path, "w+", np.float32, (196_608, 64))
    draws = np.random.default_rng(0)
    for start in range(0, len(file), 32_768):
        part = file[start : start + 32_768]
        part[:] = draws.standard_normal(part.shape, dtype=np.float32)
    file.flush()
    return path


def run_capped(path, how, cap):
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", CAPPED, str(path), how, str(cap)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_DATA"), reason="no limit on memory")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_rows_larger_than_memory_are_read_from_their_file(large_file):
    cap = 24 << 20
    free, mapped, resident = (
        run_capped(large_file, how, most)
        for how, most in [("resident", 0), ("mapped", cap), ("resident", cap)]
    )
    assert free.returncode == 0, free.stderr
    assert mapped.returncode == 0, mapped.stderr
    assert mapped.stdout == free.stdout
    # The control: the cap is a cap.
    assert resident.returncode != 0
    assert "MemoryError" in resident.stderr


def test_rows_are_known_by_a_hash_of_their_numbers(tmp_path):
    numbers = np.random.default_rng(0).normal(size=(20, 2000))
    path, cpu = tmp_path / "rows.npy", torch.device("cpu")
    np.save(path, numbers)
    file = np.load(path, mmap_mode="r")

    def mapped(inputs=file, dtype=torch.float32, **settings):
        return nets.MappedRows(inputs, cpu, dtype, **settings).fingerprint()

    shift = np.zeros(2000)
    shift[1000] = 1e-9
    prints = [
        mapped(),
        mapped(dtype=torch.float64),
        mapped(mean=shift),
        mapped(scale=1.0 + shift),
        mapped(numbers + 1e-12),
        mapped(numbers[:19]),
    ]
    assert len(set(prints)) == len(prints)
    assert mapped(numbers) == prints[0]
    resident = [
        nets.ResidentRows(torch.from_numpy(x)).fingerprint()
        for x in (numbers, numbers + 1e-12, numbers.reshape(40, 1000))
    ]
    assert len(set(resident)) == 3
