"""What a raster's file may name: local files, and nothing that leaves the machine or runs code."""

import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

rasterio = pytest.importorskip('rasterio')

from sr4ir_mm.errors import SR4IRError  # noqa: E402
from sr4ir_mm.geo import RasterScene, is_raster  # noqa: E402
from sr4ir_mm.geo.gdal import environment, library  # noqa: E402


@pytest.fixture
def server():
    """Serve nothing on this machine, and note what is asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    server.asked, server.address = asked, f'http://127.0.0.1:{server.server_port}'
    yield server
    server.shutdown()
    server.server_close()


WMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>{address}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service><DataWindow>
<UpperLeftX>0</UpperLeftX><UpperLeftY>0</UpperLeftY><LowerRightX>1</LowerRightX><LowerRightY>1</LowerRightY>
<SizeX>200</SizeX><SizeY>150</SizeY><TileLevel>1</TileLevel></DataWindow><BandsCount>3</BandsCount></GDAL_WMS>"""
VRT = """<VRTDataset {root} rasterXSize="200" rasterYSize="150"><VRTRasterBand dataType="Byte" band="1" {options}>
{inside}<SimpleSource {attributes}><{tag} relativeToVRT="{relative}">{name}</{tag}><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""

SOURCE = '<SimpleSource>{}<SourceBand>1</SourceBand></SimpleSource>'


def write_vrt(
    path: Path, name: str, relative=1, tag='SourceFilename', attributes='', options='', inside='', root=''
) -> Path:
    path.write_text(VRT.format(**{key: value for key, value in locals().items() if key != 'path'}))
    return path


def read(path: Path) -> np.ndarray:
    with RasterScene(path) as scene:
        return scene.read((0, 0, 200, 150))[1]


def test_a_vrt_of_local_files(make_raster, noise, tmp_path):
    make_raster((noise % 256).astype(np.uint8), 'tile.tif')
    assert read(write_vrt(tmp_path / 'a.vrt', 'tile.tif')).all()
    assert read(write_vrt(tmp_path / 'b.vrt', str(tmp_path / 'tile.tif'), relative=0)).all()
    assert read(write_vrt(tmp_path / 'of_vrt.vrt', 'a.vrt')).all()
    assert read(write_vrt(tmp_path / 'namespace.vrt', 'tile.tif', root='xmlns="http://a/b" xmlns:xsi="http://c"')).all()
    with pytest.raises(SR4IRError, match=r"hole.vrt' names '.*missing.tif', which is no file"):
        RasterScene(write_vrt(tmp_path / 'hole.vrt', 'missing.tif'))


@pytest.mark.parametrize(
    'changes',
    [
        dict(name='/vsicurl/{address}/a.tif'),
        dict(name='{address}/a.tif'),
        dict(name='&#47;vsicurl/{address}/a.tif'),
        dict(name='wms.xml'),
        dict(name='wms.xml', tag='sourcefilename'),
        dict(name='', attributes='SourceFilename="{address}/a.tif"'),
        dict(name='{wms}'),
        dict(name='far.vrt'),
        dict(name='/vsizip/vsicurl/{address}/a.zip/a.tif', relative=0),
        dict(name='PLMosaic:api_key=1,mosaic=2'),
        dict(name='tile.tif', inside='<Overview><SourceFilename>/vsicurl/{address}/o.tif</SourceFilename></Overview>'),
        dict(name='with_overviews.tif'),
        dict(name='far.vrt', root='xmlns="x"'),
        dict(name='wms.xml', root='xmlns="x"'),
        dict(name='missing.tif', root='xmlns="x"'),
        dict(name='tile.tif', inside=SOURCE.format('<SourceFilename relativetovrt="1">far.vrt</SourceFilename>')),
        dict(name='far.vrt', relative=2),
        dict(name='', attributes='SourceFilename="other.vrt" relativeToVRT="1"'),
    ],
)
def test_addresses_in_a_vrt_are_refused(server, make_raster, noise, tmp_path, changes, monkeypatch):
    make_raster((noise % 256).astype(np.uint8), 'tile.tif')
    (tmp_path / 'work').mkdir()
    monkeypatch.chdir(tmp_path / 'work')  # where other files have the same names
    write_vrt(tmp_path / 'work/far.vrt', str(tmp_path / 'tile.tif'))
    write_vrt(tmp_path / 'work/other.vrt', f'/vsicurl/{server.address}/a.tif')
    write_vrt(tmp_path / 'other.vrt', 'tile.tif')
    with rasterio.open(make_raster((noise % 256).astype(np.uint8), 'with_overviews.tif'), 'r+') as file:
        file.update_tags(ns='OVERVIEWS', OVERVIEW_FILE=f'/vsicurl/{server.address}/o.tif')
    (tmp_path / 'wms.xml').write_text(WMS.format(address=server.address))
    write_vrt(tmp_path / 'far.vrt', f'/vsicurl/{server.address}/a.tif')
    escaped = WMS.format(address=server.address).replace('<', '&lt;')
    changes = {
        key: value.format(address=server.address, wms=escaped) if isinstance(value, str) else value
        for key, value in changes.items()
    }
    path = write_vrt(tmp_path / 'scene.vrt', **changes)
    with pytest.raises(SR4IRError, match=r'only local files|no raster that can|takes its overviews|is neither 0'):
        read(path)
    assert not server.asked


def test_nothing_else_is_reached_in_our_environment(server, tmp_path):
    """The second wall: what no check finds."""
    path = tmp_path / 'wms.xml'
    path.write_text(WMS.format(address=server.address))
    with environment():
        for name in (path, f'/vsicurl/{server.address}/a.tif', f'/vsicurl?url={server.address}/a.tif'):
            with pytest.raises(rasterio.errors.RasterioIOError), library().open(name) as file:
                file.read()
    assert not server.asked
    with rasterio.Env(), pytest.raises(rasterio.errors.RasterioIOError):  # to see that there is a way
        rasterio.open(f'/vsicurl/{server.address}/a.tif')
    assert server.asked


def test_the_cache_is_small_unless_the_user_decides(monkeypatch):
    with environment():
        assert rasterio.env.getenv()['GDAL_CACHEMAX'] == 64 * 2**20  # 5 % of the memory by default
    monkeypatch.setenv('GDAL_CACHEMAX', '512')
    with environment():
        assert 'GDAL_CACHEMAX' not in rasterio.env.getenv()


def test_files_of_other_kinds_are_refused(server, tmp_path):
    for name in ('scene.tif', 'scene.vrt', 'scene.jp2'):
        (tmp_path / name).write_text(WMS.format(address=server.address))
        with pytest.raises(SR4IRError, match='no raster that can be read'):
            read(tmp_path / name)
    assert not is_raster(tmp_path / 'scene.tif')
    for name in (f'{server.address}/a.tif', f'/vsicurl/{server.address}/a.tif', 's3://bucket/a.tif'):
        with pytest.raises(SR4IRError, match='is an address'):
            RasterScene(name)
    with pytest.raises(SR4IRError, match='is a folder'):
        RasterScene(tmp_path)
    with pytest.raises(SR4IRError, match='is missing'):
        RasterScene(tmp_path / 'missing.tif')
    assert not server.asked


def test_files_that_cannot_be_read(make_raster, noise, monkeypatch, tmp_path):
    with RasterScene(write_vrt(tmp_path / 'self.vrt', 'self.vrt')) as scene:  # a source of itself
        assert not scene.read((0, 0, 200, 150))[1].any()
    with monkeypatch.context() as patch, pytest.raises(SR4IRError, match=r"scene.tif' cannot be read .*denied"):
        patch.setattr('builtins.open', denied)
        RasterScene(make_raster(noise))


def denied(*args):
    raise PermissionError(13, 'Permission denied')


@pytest.mark.parametrize('root', ['', 'xmlns="x"'], ids=['plain', 'namespace'])
def test_python_in_a_vrt_does_not_run(root, make_raster, noise, tmp_path, monkeypatch):
    monkeypatch.setenv('GDAL_VRT_ENABLE_PYTHON', 'YES')
    make_raster((noise % 256).astype(np.uint8), 'tile.tif')
    mark = tmp_path / 'mark'
    code = f"""<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>
    <PixelFunctionCode><![CDATA[open({str(mark)!r}, 'w')
def f(*args, **kwargs): pass]]></PixelFunctionCode>"""
    options = dict(options='subClass="VRTDerivedRasterBand"', inside=code, root=root)
    path = write_vrt(tmp_path / 'a.vrt', 'tile.tif', **options)
    with pytest.raises(SR4IRError, match='a function in Python'):
        RasterScene(path)
    with environment(), rasterio.open(path) as file, suppress(rasterio.errors.RasterioIOError):
        file.read()
    assert not mark.exists()


def test_large_claims(tmp_path, make_raster, noise):
    """A size costs nothing, but a block is decoded as a whole."""
    path = tmp_path / 'huge.vrt'
    path.write_text(
        '<VRTDataset rasterXSize="2000000000" rasterYSize="2000000000"><VRTRasterBand dataType="Byte" band="1"/>'
        '</VRTDataset>'
    )
    with RasterScene(path) as scene:
        assert scene.size == (2_000_000_000, 2_000_000_000)
        assert scene.read((1_999_999_000, 0, 2_000_000_000, 9))[0].shape == (9, 1000, 3)
        assert scene.overview(100).shape == (100, 100, 3)
    options = dict(driver='GTiff', width=9216, height=9216, count=1, dtype='uint8', tiled=True, sparse_ok=True)
    with rasterio.open(tmp_path / 'block.tif', 'w', blockxsize=9216, blockysize=9216, **options):
        pass
    with pytest.raises(SR4IRError, match='blocks of 9216 x 9216 px: store it in tiles'):
        RasterScene(tmp_path / 'block.tif')


def test_the_message_without_rasterio(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'rasterio', None)
    library.cache_clear()
    (tmp_path / 'a.vrt').touch()
    (tmp_path / 'a.tif').touch()
    with pytest.raises(SR4IRError, match=r"pip install 'sr4ir_mm\[geo\]'"):
        RasterScene(tmp_path / 'a.vrt')
    assert is_raster(tmp_path / 'a.vrt')
    assert not is_raster(tmp_path / 'a.tif')
    library.cache_clear()
