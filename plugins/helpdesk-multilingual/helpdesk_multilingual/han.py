"""Chinese characters that are written in one way in simplified, in another in traditional Chinese."""

_SIMPLIFIED = (
    "们这个来说时为会国对动学没还样问间么给东车长门见关气现两书马语头听买卖写电话开单号让请谢钱换货质谁电网错误账户"
    "户帐发续费过进远运达送边选迟适应该带实际帮师归当录总战护报担择按损检测热爱爷状独认议讲许论设访证词试误读课谈"
    "负责贵贴质贸资赶转轮软轻载较输边连难须顾题额颜风飞饭馆验鱼鸟龙齐龄价优传体余侧偿储儿兴养决况减几击则刚创别剧"
    "办务劳势区医华协压厂历厅参双变叶号吗启员响唤团园围图圆场坏块坚处备复够夹奖妇娱宝审宽对寻导将尔尘尝层属岁币"
    "广庆库废异弃张弹强归径忆志态怀恼恶惊惯惩户执扩扫扰抢抚报拥拨择挂挡据损摄摆摇敌数斗断无旧显晓暂术机杀杂权条杨极"
    "构枪标栏树档桥欢欧岁毁毕汇汉汤沟济浅测浏润涂涨温湾满滚满灭灯灵灾炼烂烟烦烧热"
)
_TRADITIONAL = (
    "們這個來說時為會國對動學沒還樣問間麼給東車長門見關氣現兩書馬語頭聽買賣寫電話開單號讓請謝錢換貨質誰網錯誤賬戶"
    "帳發續費過進遠運達邊選遲適應該帶實際幫師歸當錄總戰護報擔擇損檢測熱愛爺狀獨認議講許論設訪證詞試讀課談"
    "負責貴貼貿資趕轉輪軟輕載較輸連難須顧題額顏風飛飯館驗魚鳥龍齊齡價優傳體餘側償儲兒興養決況減幾擊則剛創別劇"
    "辦務勞勢區醫華協壓廠歷廳參雙變葉嗎啟員響喚團園圍圖圓場壞塊堅處備復夠夾獎婦娛寶審寬尋導將爾塵嘗層屬歲幣"
    "廣慶庫廢異棄張彈強徑憶態懷惱惡驚慣懲執擴掃擾搶撫擁撥掛擋據攝擺搖敵數鬥斷無舊顯曉暫術機殺雜權條楊極"
    "構槍標欄樹檔橋歡歐毀畢匯漢湯溝濟淺瀏潤塗漲溫灣滿滾滅燈靈災煉爛煙煩燒"
)
_ONLY_SIMPLIFIED = frozenset(_SIMPLIFIED) - frozenset(_TRADITIONAL)
_ONLY_TRADITIONAL = frozenset(_TRADITIONAL) - frozenset(_SIMPLIFIED)


def traditional_share(text: str) -> float:
    """How much of what tells them apart is traditional, from 0 to 1; 0 where nothing does."""
    simplified = sum(letter in _ONLY_SIMPLIFIED for letter in text)
    traditional = sum(letter in _ONLY_TRADITIONAL for letter in text)
    return traditional / (simplified + traditional) if traditional else 0.0
