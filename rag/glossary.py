"""What the commonest terms of Chinese local government are called in English. Pure.

Given to the chat model beside passages that hold them: a small model guesses at them otherwise. The renderings follow
the official English of the State Council's work reports.
"""

from __future__ import annotations

import re

_TABLE = """
老旧小区|old residential communities
城中村|urban villages
危旧房|dilapidated housing
危房|dilapidated housing
棚户区|rundown urban areas
保障性住房|government-subsidized housing
公租房|public rental housing
好房子|quality homes
城市更新|urban renewal
智能建造|smart construction
装配式建筑|prefabricated buildings
新质生产力|new quality productive forces
高质量发展|high-quality development
营商环境|business environment
专精特新|specialized and sophisticated (firms that use special technologies)
规上工业|industrial enterprises above designated size
规模以上工业|industrial enterprises above designated size
一般公共预算收入|general public budget revenue
地区生产总值|gross domestic product (GDP)
固定资产投资|fixed-asset investment
招商引资|attracting investment
产业链|industrial chain
创新链|innovation chain
成果转化|commercialization of research results
跨境电商|cross-border e-commerce
数字经济|digital economy
乡村振兴|rural revitalization
高标准农田|high-standard farmland
基层治理|community-level governance
网格员|community grid workers
矛盾纠纷|disputes
综治中心|public security and dispute governance center
政务服务|government services
便民服务|public convenience services
民生实事|practical projects for people's livelihood
普惠托育|affordable childcare
养老床位|elderly-care beds
长者食堂|canteens for older people
学位|school places
义务教育|compulsory education
入学|school enrollment
家庭医生|family doctor
医共体|medical consortium
三甲医院|Class A tertiary hospital
加装电梯|adding lifts (elevators) to buildings
充电桩|charging points
停车泊位|parking spaces
雨污分流|separating rainwater from sewage
黑臭水体|black and malodorous water bodies
污水处理厂|sewage treatment plant
水环境|water environment
断面|monitored river sections
秸秆|straw
碳达峰|carbon peaking
快速路|expressway
轨道交通|rail transit
公交线路|bus routes
城乡居民医保|basic medical insurance for urban and rural residents
低保|subsistence allowances
就业补贴|employment subsidies
创业担保贷款|guaranteed start-up loans
零工市场|casual labour market
停水|water outage
街道|subdistrict
镇|town
村|village
社区|community
区委|district Party committee
区政府|district government
区长|district mayor
局长|bureau director
主任|director
书记|secretary
产业载体|industrial facilities
载体|facilities
万|ten thousand
亿|hundred million
亩|mu (1/15 hectare)
"""
TERMS = tuple((line.split("|")[0], line.split("|")[1]) for line in _TABLE.strip().splitlines())
_MOST = 10


def terms_in(simplified: str) -> list[tuple[str, str]]:
    """The terms that a simplified text holds with their English, longest first, at most ten.

    A term inside a longer one that was taken is left out. Amounts and offices, which every text has, give way first.
    """
    found: list[tuple[str, str]] = []
    for chinese, english in sorted(TERMS, key=lambda term: -len(term[0])):
        if chinese in simplified and not any(chinese in taken for taken, _ in found):
            found.append((chinese, english))
    return found[:_MOST]


def rendered(english: str) -> str:
    """An English text in which terms that were left in Chinese are rendered; names and unknown words stay."""
    for chinese, translation in sorted(TERMS, key=lambda term: -len(term[0])):
        if len(chinese) > 1 and chinese in english:
            english = re.sub(rf"(?<=[A-Za-z]){chinese}", f" {translation}", english)
            english = re.sub(rf"{chinese}(?=[A-Za-z])", f"{translation} ", english).replace(
                chinese, translation
            )
    return english
