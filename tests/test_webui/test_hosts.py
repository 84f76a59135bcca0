"""Names under which the web page may be requested: what --host and --allowed-hosts mean."""

import socket

import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.webui.hosts import Hosts, is_loopback

ALWAYS = ['localhost', '127.0.0.1:7860', '[::1]:80', '[0:0:0:0:0:0:0:1]']
NEVER = ['', ':80', 'other.example', 'localhost@other.example', 'localhost/x', '127.0.0.1:80:80', '::1', '[localhost]']


@pytest.mark.parametrize('listen', ['127.0.0.1', '192.168.0.7', 'gpu1', '0.0.0.0', '::'])
def test_loopback_always_and_other_names_never(listen):
    hosts = Hosts(listen)
    assert [header for header in ALWAYS if header not in hosts] == []
    assert [header for header in NEVER if header in hosts] == []


def test_the_address_that_the_page_listens_on():
    assert '192.168.0.7:7860' in Hosts('192.168.0.7') and '192.168.0.8:7860' not in Hosts('192.168.0.7')
    assert 'GPU1:7860' in Hosts('gpu1') and 'gpu2:7860' not in Hosts('gpu1')


@pytest.mark.parametrize('listen', ['0.0.0.0', '::'])
def test_every_address_and_the_name_of_the_machine(listen):
    hosts = Hosts(listen)
    assert all(host in hosts for host in (socket.gethostname(), '10.1.2.3:7860', '[fe80::1]:7860', '0.0.0.0'))


def test_other_names_are_allowed_by_option():
    hosts = Hosts('0.0.0.0', ['gpu1.example.org', '::5'])
    assert 'gpu1.example.org:443' in hosts and '[::5]' in hosts and 'gpu2.example.org' not in hosts
    for name in ('http://gpu1', 'gpu1:7860', '*', ''):
        with pytest.raises(SR4IRError, match='is not a name or an address'):
            Hosts('0.0.0.0', [name])


def test_who_can_reach_the_page():
    assert all(map(is_loopback, ('127.0.0.1', '127.1.2.3', '::1', 'localhost')))
    assert not any(map(is_loopback, ('0.0.0.0', '::', '192.168.0.7', 'gpu1')))
