"""Devices of unknown makers, which keep to the standard."""

import pytest

from demarc.domains.cpe.changes import (
    LanChange,
    ManagementChange,
    PppoeChange,
    TimeChange,
    Unsupported,
    WanChange,
    WifiChange,
)
from demarc.domains.cpe.family import Families, Family
from demarc.domains.cpe.neutral import Device, Need
from demarc.domains.cpe.tree import Parameter

TR098 = """
DeviceInfo.Manufacturer = Nobody Ltd
DeviceInfo.ModelName = R-1
DeviceInfo.SerialNumber = 0001
DeviceInfo.UpTime = 5400
DeviceInfo.MemoryStatus.Total = 131072
DeviceInfo.MemoryStatus.Free = 65536
ManagementServer.URL = http://acs.example.net:7547/
ManagementServer.PeriodicInformEnable = true (boolean)
ManagementServer.PeriodicInformInterval = 300 (unsignedInt)
Time.Enable = 0 (boolean)
Time.NTPServer1 = a.ntp.example
Time.NTPServer2 = b.ntp.example
Time.LocalTimeZone = +00:00
Time.LocalTimeZoneName = UTC0
LANDevice.1.LANEthernetInterfaceConfig.1.MACAddress = 02:00:5e:00:53:01
LANDevice.1.LANHostConfigManagement.DHCPServerEnable = 1 (boolean)
LANDevice.1.LANHostConfigManagement.DNSServers = 192.168.1.1
LANDevice.1.LANHostConfigManagement.IPRouters = 192.168.1.1
LANDevice.1.LANHostConfigManagement.MinAddress = 192.168.1.33
LANDevice.1.LANHostConfigManagement.MaxAddress = 192.168.1.254
LANDevice.1.LANHostConfigManagement.IPInterface.1.IPInterfaceIPAddress = 192.168.1.1
LANDevice.1.LANHostConfigManagement.IPInterface.1.IPInterfaceSubnetMask = 255.255.255.0
LANDevice.1.WLANConfiguration.1.Enable = 1 (boolean)
LANDevice.1.WLANConfiguration.1.SSID = Casa
LANDevice.1.WLANConfiguration.1.BSSID = 02:00:5e:00:53:11
LANDevice.1.WLANConfiguration.1.Channel = 6 (unsignedInt)
LANDevice.1.WLANConfiguration.1.AutoChannelEnable = 1 (boolean)
LANDevice.1.WLANConfiguration.1.Standard = n
LANDevice.1.WLANConfiguration.1.TransmitPower = 75 (unsignedInt)
LANDevice.1.WLANConfiguration.1.SSIDAdvertisementEnabled = 1 (boolean)
LANDevice.1.WLANConfiguration.1.KeyPassphrase =
LANDevice.1.WLANConfiguration.1.PreSharedKey.1.KeyPassphrase = senha-da-casa
LANDevice.1.WLANConfiguration.2.SSID = Casa 5G
LANDevice.1.WLANConfiguration.2.Channel = 149 (unsignedInt)
LANDevice.1.WLANConfiguration.2.PreSharedKey.1.KeyPassphrase = senha-de-cinco
LANDevice.1.WLANConfiguration.3.SSID = Visitas
LANDevice.1.WLANConfiguration.3.Channel = 6 (unsignedInt)
LANDevice.1.WLANConfiguration.1.AssociatedDevice.1.AssociatedDeviceMACAddress = 02:00:5e:00:53:21
LANDevice.1.Hosts.Host.1.MACAddress = 02:00:5e:00:53:21
LANDevice.1.Hosts.Host.1.IPAddress = 192.168.1.40
LANDevice.1.Hosts.Host.1.HostName = celular
LANDevice.1.Hosts.Host.1.InterfaceType = 802.11
LANDevice.1.Hosts.Host.1.Active = 1 (boolean)
LANDevice.1.Hosts.Host.2.MACAddress = 02:00:5e:00:53:22
LANDevice.1.Hosts.Host.2.InterfaceType = Ethernet
LANDevice.1.Hosts.Host.2.Active = 0 (boolean)
WANDevice.1.WANCommonInterfaceConfig.TotalBytesReceived = 1000 (unsignedInt)
WANDevice.1.WANCommonInterfaceConfig.TotalBytesSent = 200 (unsignedInt)
WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.Name = 1_TR069_R
WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.AddressingType = DHCP
WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ConnectionStatus = Connected
WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress = 198.51.100.9
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Enable = 1 (boolean)
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.ConnectionType = IP_Routed
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.ConnectionStatus = Connected
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Username = casa@example.net
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Password =
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Uptime = 3600 (unsignedInt)
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.MaxMRUSize = 1492 (unsignedInt)
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.ExternalIPAddress = 203.0.113.5
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.RemoteIPAddress = 203.0.113.1
WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.DNSServers = 192.0.2.53,192.0.2.54
"""

TR181 = """
DeviceInfo.Manufacturer = Nobody Ltd
DeviceInfo.ModelName = R-2
DeviceInfo.UpTime = 5400
DeviceInfo.ProcessStatus.CPUUsage = 12 (unsignedInt)
ManagementServer.PeriodicInformInterval = 600 (unsignedInt)
Time.NTPServer1 = a.ntp.example
Time.LocalTimeZone = UTC0
Ethernet.Interface.1.MACAddress = 02:00:5e:00:53:01
Ethernet.Interface.1.Upstream = false
Ethernet.Interface.2.MACAddress = 02:00:5e:00:53:02
Ethernet.Interface.2.Upstream = true
Ethernet.Link.1.LowerLayers = Device.Bridging.Bridge.1.Port.1
Ethernet.Link.2.LowerLayers = Device.Ethernet.Interface.2
Ethernet.Link.2.MACAddress = 02:00:5e:00:53:03
Ethernet.VLANTermination.1.VLANID = 7 (unsignedInt)
Ethernet.VLANTermination.1.LowerLayers = Device.Ethernet.Link.2
Ethernet.VLANTermination.2.VLANID = 100 (unsignedInt)
Ethernet.VLANTermination.2.LowerLayers = Device.Ethernet.Link.2.
IP.Interface.1.LowerLayers = Device.Ethernet.Link.1
IP.Interface.1.IPv4Address.1.IPAddress = 192.168.0.1
IP.Interface.1.IPv4Address.1.SubnetMask = 255.255.255.0
IP.Interface.1.Stats.BytesReceived = 1 (unsignedLong)
IP.Interface.2.LowerLayers = Device.PPP.Interface.1.
IP.Interface.2.IPv4Address.1.IPAddress = 203.0.113.5
IP.Interface.2.IPv6Address.1.IPAddress = fe80::1
IP.Interface.2.IPv6Address.2.IPAddress = 2001:db8::5
IP.Interface.2.IPv6Prefix.1.Prefix = 2001:db8:1::/56
IP.Interface.2.MaxMTUSize = 1492 (unsignedInt)
IP.Interface.2.Stats.BytesReceived = 5000000000 (unsignedLong)
IP.Interface.2.Stats.BytesSent = 600000000 (unsignedLong)
IP.Interface.3.LowerLayers = Device.Ethernet.VLANTermination.1
IP.Interface.3.IPv4Address.1.IPAddress = 10.9.8.7
IP.Interface.3.IPv4Address.1.AddressingType = DHCP
IP.Interface.3.Status = Up
IP.Interface.3.Stats.BytesReceived = 42 (unsignedLong)
IP.Interface.4.Type = Loopback
IP.Interface.4.IPv4Address.1.IPAddress = 127.0.0.1
DHCPv4.Client.1.Interface = Device.IP.Interface.3
DHCPv4.Client.1.IPRouters = 10.9.8.1
DHCPv4.Server.Pool.1.Interface = Device.IP.Interface.1
DHCPv4.Server.Pool.1.Enable = 1 (boolean)
PPP.Interface.1.Enable = true (boolean)
PPP.Interface.1.Status = Up
PPP.Interface.1.ConnectionStatus = Connected
PPP.Interface.1.Username = casa@example.net
PPP.Interface.1.Password =
PPP.Interface.1.LastChange = 4000 (unsignedInt)
PPP.Interface.1.LowerLayers = Device.Ethernet.VLANTermination.2.
PPP.Interface.1.IPCP.RemoteIPAddress = 203.0.113.1
PPP.Interface.1.IPCP.DNSServers = 192.0.2.53
WiFi.Radio.1.OperatingFrequencyBand = 5GHz
WiFi.Radio.1.Channel = 36 (unsignedInt)
WiFi.Radio.1.OperatingStandards = a,n,ac,ax
WiFi.Radio.1.OperatingChannelBandwidth = 80MHz
WiFi.Radio.2.OperatingFrequencyBand = 2.4GHz
WiFi.Radio.2.Channel = 11 (unsignedInt)
WiFi.Radio.2.AutoChannelEnable = false (boolean)
WiFi.Radio.2.OperatingStandards = b,g,n
WiFi.Radio.2.OperatingChannelBandwidth = 20MHz
WiFi.Radio.3.OperatingFrequencyBand = 6GHz
WiFi.SSID.4.SSID = Casa
WiFi.SSID.4.LowerLayers = Device.WiFi.Radio.2.
WiFi.SSID.4.Enable = true (boolean)
WiFi.SSID.5.SSID = Casa 5G
WiFi.SSID.5.LowerLayers = Device.WiFi.Radio.1.
WiFi.SSID.6.SSID = Visitas
WiFi.SSID.6.LowerLayers = Device.WiFi.Radio.2.
WiFi.AccessPoint.1.SSIDReference = Device.WiFi.SSID.4.
WiFi.AccessPoint.1.Enable = true (boolean)
WiFi.AccessPoint.1.SSIDAdvertisementEnabled = true (boolean)
WiFi.AccessPoint.1.Security.KeyPassphrase = senha-da-casa
WiFi.AccessPoint.2.SSIDReference = Device.WiFi.SSID.5.
WiFi.AccessPoint.2.Security.KeyPassphrase = senha-de-cinco
WiFi.AccessPoint.2.AssociatedDevice.1.MACAddress = 02:00:5e:00:53:21
WiFi.AccessPoint.2.AssociatedDevice.1.SignalStrength = -55 (int)
WiFi.AccessPoint.2.AssociatedDevice.1.LastDataDownlinkRate = 866000 (unsignedInt)
WiFi.AccessPoint.2.AssociatedDevice.1.OperatingStandard = ac
WiFi.AccessPoint.3.SSIDReference = Device.WiFi.SSID.6.
Hosts.Host.1.PhysAddress = 02:00:5e:00:53:21
Hosts.Host.1.IPAddress = 192.168.0.40
Hosts.Host.1.Active = true (boolean)
Hosts.Host.2.PhysAddress = 02:00:5e:00:53:22
Hosts.Host.2.Layer1Interface = Device.Ethernet.Interface.1
Hosts.Host.3.PhysAddress = 02:00:5e:00:53:23
Hosts.Host.3.Layer1Interface = Device.WiFi.SSID.4.
Optical.Interface.1.OpticalSignalLevel = -21500 (int)
"""


def tree(text: str, root: str) -> dict[str, Parameter]:
    found = {}
    for line in text.strip().splitlines():
        name, _, rest = line.partition(" =")
        value, _, kind = rest.strip().partition(" (")
        found[root + name] = Parameter(value, kind.rstrip(")") or "string", writable=True)
    return found


IGD = tree(TR098, "InternetGatewayDevice.")
DEV = tree(TR181, "Device.")


def family(known: dict[str, Parameter]) -> Family:
    return Families.load().of(manufacturer="Nobody Ltd", tree=known)


def test_an_unknown_device_is_taken_for_what_its_root_says() -> None:
    assert family(IGD).name == "tr098"
    assert family(DEV).name == "tr181"
    assert Families.load().of().name == "tr181"


def test_an_unknown_model_of_a_known_maker_is_read_as_the_others_are() -> None:
    families = Families.load()
    root = "InternetGatewayDevice."
    huawei = families.of(manufacturer="HUAWEI TECHNOLOGIES CO., LTD", model="HG9999", root=root)
    assert huawei.name == "huawei"
    # but not under a root that is not that family's
    tr181 = families.of(manufacturer="Huawei Technologies Co., Ltd", model="X", root="Device.")
    assert tr181.name == "tr181"
    assert families.of(manufacturer="TP-Link", model="EX999", root="Device.").name == "tplink-tr181"
    assert families.of(manufacturer="TP-Link", model="TL-9", root=root).name == "tplink"


def test_a_product_class_stands_for_a_model_that_is_not_told() -> None:
    of = Families.load().of
    assert of(product_class="EG8145V5", root="InternetGatewayDevice.").name == "huawei-eg8145v5"
    assert of(product_class="EG8145V5", model="other").name != "huawei-eg8145v5"


def test_tr098_is_read() -> None:
    device = family(IGD).read(IGD)
    assert device.info.model == "R-1"
    assert device.info.mac == "02:00:5E:00:53:01"
    assert device.info.memory_total == 128 * 1024 * 1024
    assert device.management.inform_interval == 300
    assert device.lan.ipv4 == "192.168.1.1"
    assert device.lan.dns == ("192.168.1.1",)
    wan = device.internet
    assert wan is not None
    assert (wan.kind, wan.status, wan.ipv4, wan.gateway, wan.mtu, wan.uptime_seconds) == (
        "pppoe",
        "up",
        "203.0.113.5",
        "203.0.113.1",
        1492,
        3600,
    )
    assert wan.dns == ("192.0.2.53", "192.0.2.54")
    assert (wan.received_octets, wan.sent_octets) == (1000, 200)
    other = next(each for each in device.wans if each.kind == "dhcp")
    assert other.carries == {"tr069"}
    assert other.received_octets is None, "the port's octets are counted once"
    by_band = {each.band: each for each in device.networks if each.primary}
    assert by_band[2].ssid == "Casa"
    assert by_band[2].passphrase == "senha-da-casa"
    assert by_band[2].hidden is False
    assert by_band[5].ssid == "Casa 5G"
    guests = next(each for each in device.networks if not each.primary)
    assert (guests.ssid, guests.band) == ("Visitas", 2)
    radio = device.radios[0]
    assert (radio.channel, radio.automatic_channel, radio.standard, radio.power_percent) == (
        6,
        True,
        "n",
        75,
    )
    phone, box = device.hosts
    assert (phone.connection, phone.band, phone.active) == ("wifi", 2, True)
    assert (box.connection, box.active) == ("cable", False)


def check_connections_of_tr181(device: Device) -> None:
    assert [each.kind for each in device.wans] == ["pppoe", "dhcp"]
    wan = device.internet
    assert wan is not None
    assert wan.key == "Device.PPP.Interface.1."
    assert (wan.ipv4, wan.ipv6, wan.delegated_prefix) == (
        "203.0.113.5",
        "2001:db8::5",
        "2001:db8:1::/56",
    )
    assert (wan.vlan, wan.mtu, wan.mac) == (100, 1492, "02:00:5E:00:53:03")
    assert (wan.gateway, wan.dns) == ("203.0.113.1", ("192.0.2.53",))
    assert wan.uptime_seconds == 4000
    assert (wan.received_octets, wan.sent_octets) == (5_000_000_000, 600_000_000)
    other = device.wans[1]
    assert (other.key, other.vlan, other.gateway) == ("Device.IP.Interface.3.", 7, "10.9.8.1")
    assert other.received_octets == 42


def test_tr181_is_read() -> None:
    device = family(DEV).read(DEV)
    check_connections_of_tr181(device)
    assert device.info.cpu_percent == 12
    assert device.pon is not None
    assert device.pon.rx_dbm == -21.5
    by_band = {each.band: each for each in device.networks if each.primary}
    assert by_band[2].key == "Device.WiFi.SSID.4."
    assert by_band[2].passphrase == "senha-da-casa"
    assert by_band[5].passphrase == "senha-de-cinco"
    radios = {each.band: each for each in device.radios}
    assert (radios[5].channel, radios[5].bandwidth, radios[5].standard) == (36, 80, "ax")
    assert 6 in radios
    hosts = {each.mac[-2:]: each for each in device.hosts}
    assert (hosts["21"].band, hosts["21"].rssi_dbm, hosts["21"].snr_db) == (5, -55, 40)
    assert hosts["21"].rate_mbps == 866
    assert hosts["21"].standard == "ac"
    assert hosts["22"].connection == "cable"
    assert (hosts["23"].connection, hosts["23"].band) == ("wifi", 2)


def test_the_stack_may_be_told_as_a_table() -> None:
    """Some devices leave LowerLayers empty, and fill InterfaceStack."""
    known = {}
    row = 0
    for path, each in DEV.items():
        if path.endswith(".LowerLayers"):
            row += 1
            stack = f"Device.InterfaceStack.{row}."
            known[f"{stack}HigherLayer"] = Parameter(path.removesuffix(".LowerLayers"))
            known[f"{stack}LowerLayer"] = each
        else:
            known[path] = each
    check_connections_of_tr181(family(known).read(known))


def written(known: dict[str, Parameter], change: object) -> dict[str, str]:
    root = "Device." if known is DEV else "InternetGatewayDevice."
    values = family(known).write(known, change)  # type: ignore[arg-type]
    for each in values:
        if each.name in known:
            assert each.type == known[each.name].type
    return {each.name.removeprefix(root): each.value for each in values}


def test_wifi_of_tr098_is_written() -> None:
    network = "LANDevice.1.WLANConfiguration.1."
    assert written(IGD, WifiChange(band=2, passphrase="nova-senha", channel=11, hidden=True)) == {
        f"{network}PreSharedKey.1.KeyPassphrase": "nova-senha",
        f"{network}AutoChannelEnable": "0",
        f"{network}Channel": "11",
        f"{network}SSIDAdvertisementEnabled": "0",
    }
    assert written(IGD, WifiChange(band=2, channel="auto", power_percent=50)) == {
        f"{network}AutoChannelEnable": "1",
        f"{network}TransmitPower": "50",
    }
    guests = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.3."
    assert written(IGD, WifiChange(key=guests, ssid="Festa")) == {
        "LANDevice.1.WLANConfiguration.3.SSID": "Festa"
    }


def test_wifi_of_tr181_is_written() -> None:
    assert written(
        DEV,
        WifiChange(band=2, ssid="Nova", channel=1, bandwidth=40, standard="ax", enabled=False),
    ) == {
        "WiFi.SSID.4.SSID": "Nova",
        "WiFi.SSID.4.Enable": "false",
        "WiFi.AccessPoint.1.Enable": "false",
        "WiFi.Radio.2.AutoChannelEnable": "false",
        "WiFi.Radio.2.Channel": "1",
        "WiFi.Radio.2.OperatingChannelBandwidth": "40MHz",
        "WiFi.Radio.2.OperatingStandards": "b,g,n,ax",
    }


def test_connections_are_written() -> None:
    connection = "WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1."
    assert written(IGD, PppoeChange(username="b@example.net", password="x")) == {
        f"{connection}Username": "b@example.net",
        f"{connection}Password": "x",
    }
    assert written(IGD, WanChange(mtu=1480)) == {f"{connection}MaxMRUSize": "1480"}
    assert written(DEV, WanChange(vlan=200, mtu=1480)) == {
        "Ethernet.VLANTermination.2.VLANID": "200",
        "IP.Interface.2.MaxMTUSize": "1480",
    }
    assert written(DEV, WanChange(vlan=8, wan="Device.IP.Interface.3.")) == {
        "Ethernet.VLANTermination.1.VLANID": "8"
    }


def test_a_new_address_takes_what_dhcp_gives_out_with_it() -> None:
    host = "LANDevice.1.LANHostConfigManagement."
    assert written(IGD, LanChange(ipv4="10.20.30.1")) == {
        f"{host}IPInterface.1.IPInterfaceIPAddress": "10.20.30.1",
        f"{host}IPRouters": "10.20.30.1",
        f"{host}DNSServers": "10.20.30.1",
        f"{host}MinAddress": "10.20.30.33",
        f"{host}MaxAddress": "10.20.30.254",
    }
    assert written(IGD, LanChange(dhcp=False)) == {f"{host}DHCPServerEnable": "0"}


def test_management_and_time_are_written() -> None:
    assert written(IGD, ManagementChange(inform_enabled=False, inform_interval=900)) == {
        "ManagementServer.PeriodicInformEnable": "false",
        "ManagementServer.PeriodicInformInterval": "900",
    }
    assert written(IGD, TimeChange(servers=("c.ntp.example",), zone="<-03>3")) == {
        "Time.Enable": "1",
        "Time.NTPServer1": "c.ntp.example",
        "Time.NTPServer2": "",
        "Time.LocalTimeZoneName": "<-03>3",
        "Time.LocalTimeZone": "-03:00",
    }
    assert written(DEV, TimeChange(zone="<+0530>-5:30")) == {"Time.LocalTimeZone": "<+0530>-5:30"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (WanChange(vlan=5), "vlan"),
        (WifiChange(band=6, ssid="x"), "wifi"),
        (WifiChange(key="InternetGatewayDevice.Nothing.1.", ssid="x"), "wifi"),
        (WifiChange(band=5, standard="b"), "standard"),
        (WifiChange(band=2, bandwidth=40), "bandwidth"),
        (PppoeChange(username="x", wan="InternetGatewayDevice.Nothing.1."), "wan"),
        (LanChange(dns=("192.0.2.1", "192.0.2.2")), "dns"),
        (TimeChange(zone="America/Sao_Paulo"), "zone"),
    ],
)
def test_what_cannot_be_done_is_said(change: object, what: str) -> None:
    with pytest.raises(Unsupported) as refused:
        family(IGD).write(IGD, change)  # type: ignore[arg-type]
    assert refused.value.what == what


def test_a_parameter_that_cannot_be_set_is_not() -> None:
    path = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"
    known = IGD | {path: Parameter("Casa", writable=False)}
    with pytest.raises(Unsupported, match="does not let it be set"):
        family(known).write(known, WifiChange(band=2, ssid="x"))


def test_little_is_asked_for() -> None:
    known = family(DEV)
    assert known.paths(Need.BYTES, DEV) == [
        "Device.IP.Interface.2.Stats.BytesReceived",
        "Device.IP.Interface.2.Stats.BytesSent",
        "Device.IP.Interface.3.Stats.BytesReceived",
    ]
    assert known.paths(Need.WIFI) == [
        "Device.WiFi.SSID.",
        "Device.WiFi.Radio.",
        "Device.WiFi.AccessPoint.",
    ]
    first = family(IGD)
    assert first.paths(Need.UPTIME, IGD) == [
        "InternetGatewayDevice.DeviceInfo.UpTime",
        "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Uptime",
        "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.ConnectionStatus",
        "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Username",
        "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ConnectionStatus",
    ]
    assert first.paths(Need.PON) == []
    for need in Need:
        for path in first.paths(need) + first.paths(need, IGD):
            assert path.startswith("InternetGatewayDevice.")
            assert "*" not in path


def test_an_epon_is_read_where_there_is_no_gpon() -> None:
    known = {
        "InternetGatewayDevice.WANDevice.1.X_CT-COM_EponInterfaceConfig.RXPower": Parameter("115")
    }
    pon = Families.load()["fastwireless-fw323dac"].read(known).pon
    assert pon is not None
    assert (pon.rx_dbm, pon.tx_dbm) == (-19.39, None)


def test_a_nokia_is_given_its_passphrase_again_with_a_new_name() -> None:
    network = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1."
    known = {
        f"{network}SSID": Parameter("Casa"),
        f"{network}PreSharedKey.1.KeyPassphrase": Parameter("senha-da-casa"),
    }
    nokia = Families.load()["nokia-g1425ga"]
    values = nokia.write(known, WifiChange(band=2, ssid="Nova"))
    assert [each.value for each in values] == ["Nova", "senha-da-casa"]
    assert nokia.follow_up(WifiChange(band=2, ssid="Nova")) == {"resend_passphrase"}


def test_a_device_that_was_not_read_yet_can_be_written_where_its_model_is_known() -> None:
    values = Families.load()["intelbras-wifiber-121ac"].write({}, WifiChange(band=5, ssid="Nova"))
    assert [each.name for each in values] == [
        "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"
    ]
    with pytest.raises(Unsupported):
        Families.load()["tr098"].write({}, WifiChange(band=5, ssid="Nova"))


def test_a_host_that_has_left_is_not_active_where_a_device_keeps_it() -> None:
    left = "InternetGatewayDevice.LANDevice.1.Hosts.Host.2."
    gone = {f"{left}InterfaceType": Parameter("802.11"), f"{left}Active": Parameter("1")}
    assert [each.active for each in family(IGD).read(IGD | gone).hosts] == [True, True]
    device = Families.load()["nokia-g1425ga"].read(IGD | gone)
    assert [each.active for each in device.hosts] == [True, False]


@pytest.mark.parametrize(
    ("name", "now", "asked", "said"),
    [
        ("huawei-eg8145v5", "0", 40, "2"),
        ("huawei-eg8145v5", "2", 0, "0"),
        ("raisecom-ht803g-rev-n", "2", 80, "3"),
        ("raisecom-ht803g-rev-n", "20MHz", 80, "80MHz"),
        ("nokia-g1425ga", "Auto", 40, "40MHz"),
        ("nokia-g1425ga", "20MHz", 0, "Auto"),
        ("tplink-archer-c5", "Auto", 20, "20M"),
        ("tplink-archer-c5", "20MHz", 40, "40MHz"),
        ("nokia-beacon", "7", 40, None),
    ],
)
def test_a_width_is_said_as_the_device_says_it(
    name: str, now: str, asked: int, said: str | None
) -> None:
    known_family = Families.load()[name]
    network = f"{known_family.root}{known_family.spec.wifi.two.network}"
    leaf = known_family.spec.wifi.bandwidth
    path = network + (leaf if isinstance(leaf, str) else leaf[0])
    known = {f"{network}SSID": Parameter("Casa"), path: Parameter(now)}
    change = WifiChange(band=2, bandwidth=asked)
    if said is None:
        with pytest.raises(Unsupported):
            known_family.write(known, change)
        return
    (value,) = known_family.write(known, change)
    assert (value.name, value.value) == (path, said)
    assert known_family.read({**known, path: Parameter(said)}).radios[0].bandwidth == asked


def test_an_unknown_device_that_speaks_a_known_dialect_tells_light_and_vlan() -> None:
    root = "InternetGatewayDevice.WANDevice.1."
    connection = f"{root}WANConnectionDevice.2.WANPPPConnection.1."
    dialect = {
        f"{root}X_CT-COM_GponInterfaceConfig.RXPower": Parameter("115"),
        f"{root}X_CT-COM_GponInterfaceConfig.TXPower": Parameter("16982"),
        f"{root}WANConnectionDevice.2.X_CT-COM_WANGponLinkConfig.VLANIDMark": Parameter("100"),
        f"{connection}X_CT-COM_ServiceList": Parameter("TR069,INTERNET"),
    }
    known = IGD | dialect
    device = family(known).read(known)
    assert device.pon is not None
    assert (device.pon.rx_dbm, device.pon.tx_dbm) == (-19.39, 2.3)
    assert device.internet is not None
    assert device.internet.vlan == 100
    assert device.internet.carries == {"tr069", "internet"}
    assert family(known).paths(Need.PON, known) == list(dialect)[:2]
    assert family(IGD).paths(Need.PON, IGD) == []


def test_a_connection_that_is_said_to_be_for_something_else_is_not_the_subscribers() -> None:
    base = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice."
    known = {
        f"{base}1.WANPPPConnection.1.Name": Parameter("1_TR069_R_VID_7"),
        f"{base}1.WANPPPConnection.1.Username": Parameter("gestao@example.net"),
        f"{base}2.WANPPPConnection.1.Username": Parameter("casa@example.net"),
    }
    internet = family(known).read(known).internet
    assert internet is not None
    assert internet.pppoe_username == "casa@example.net"
